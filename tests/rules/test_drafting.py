"""New rules: written from their parts, from an incident, and found sound by the same checks as all others."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spikelore.rules.cases import run_cases
from spikelore.rules.documents.schemas import KINDS, schema_of
from spikelore.rules.documents.series import parse
from spikelore.rules.drafting import Draft, condition, write
from spikelore.rules.facts.registry import FactSpec, specs
from spikelore.rules.given import facts_from
from spikelore.rules.rulebase import LIBRARY, RuleBase, Source
from spikelore.rules.separating import separating

CAUSE = "model.exploding-gradients"


def loaded(folder: Path, text: str, name: str = "mine") -> RuleBase:
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return RuleBase.load(sources=[Source(LIBRARY, team=False), Source(folder)])


@pytest.mark.parametrize("spec", specs().values(), ids=lambda spec: spec.name)
def test_a_draft_on_any_fact_passes_check_and_its_tests(tmp_path: Path, spec: FactSpec) -> None:
    """Whatever fact a rule is written on, the file is sound, fires in one case and is silent in the other."""
    middle = ((spec.low or 0.0) + (spec.high if spec.high is not None else (spec.low or 0.0) + 2.0)) / 2
    value = {"bool": "true", "text": spec.choices[0] if spec.choices else "x", "number": f"{middle:g}"}[
        spec.kind
    ]
    sign = ">=" if spec.kind == "number" else "="
    base = loaded(tmp_path, write(Draft("mine", CAUSE, [condition(f"{spec.name} {sign} {value}")])))
    assert [str(problem) for problem in base.problems] == []
    assert [(r.name, r.problem) for r in run_cases(base, "mine")] == [
        ("fires on its evidence", ""),
        (f"silent when {spec.name} is not so", ""),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("grad.norm_ration >= 3", "did you mean grad.norm_ratio"),
        ("batch.normal = yes", "true or false"),
        ("grad.norm_ratio >= x", "is a number"),
        ("nonsense", "no condition"),
        ("grad.norm_ratio >= -1", "always holds; valid is a number from 0"),
        ("label.kept < 0", "can never hold"),
        ("batch.normal > true", "compares numbers"),
    ],
)
def test_a_condition_that_is_none_says_what_is_valid(text: str, said: str) -> None:
    """Unknown names, wrong types and mere words each have their own sentence."""
    with pytest.raises(ValueError, match=said):
        condition(text)


@pytest.mark.parametrize(
    ("when", "unless"),
    [
        (["grad.norm_ratio >= 90", "grad.norm_ratio < 100"], []),
        (["grad.norm_ratio > 1", "grad.norm_ratio < 1.001"], []),
        (["grad.norm_ratio >= 2"], ["grad.norm_ratio >= 2.5"]),
        (["optimizer.class != Adam", "optimizer.class != SGD"], []),
    ],
)
def test_conditions_on_one_fact_are_met_together(tmp_path: Path, when: list[str], unless: list[str]) -> None:
    """The case in which the rule fires lies where all of them hold."""
    draft = Draft("mine", CAUSE, [condition(text) for text in when], [condition(text) for text in unless])
    base = loaded(tmp_path, write(draft))
    assert [result.problem for result in run_cases(base, "mine")] == ["", ""]


def test_conditions_that_exclude_each_other_make_no_rule() -> None:
    """No case could show it firing."""
    draft = Draft("mine", CAUSE, [condition("grad.norm_ratio > 5"), condition("grad.norm_ratio < 3")])
    with pytest.raises(ValueError, match=r"no value of grad\.norm_ratio"):
        write(draft)


def test_a_conclusion_of_no_kind_is_refused() -> None:
    """A rule concludes a cause, a symptom or a pattern."""
    with pytest.raises(ValueError, match="no conclusion"):
        write(Draft("mine", "gradients", [condition("grad.norm_ratio > 3")]))


def test_what_sets_an_incident_apart_is_found() -> None:
    """The fact that moved far is a condition; what is usual, or describes the job, is none."""
    incident = {"grad.norm_ratio": 80.0, "lr.jump": 1.0, "model.parameters": 9e9, "batch.normal": False}
    healthy = [
        {"grad.norm_ratio": 1 + n / 10, "lr.jump": 1.0, "model.parameters": 1e6, "batch.normal": True}
        for n in range(10)
    ]
    found = separating(incident, healthy, [{"batch.normal": False}], specs())
    assert [str(each.condition) for each in found] == ["grad.norm_ratio >= 10", "batch.normal = false"]
    assert [each.others for each in found] == [0.0, 1.0]


@given(st.floats(allow_nan=False), st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_a_threshold_lies_between_the_incident_and_all_that_is_healthy(
    value: float, healthy: list[float]
) -> None:
    """It holds for the incident, and for hardly any healthy window."""
    known = [{"grad.norm_ratio": each} for each in healthy]
    for each in separating({"grad.norm_ratio": value}, known, [], specs()):
        assert each.condition.holds(value)
        assert each.healthy <= 0.02


def test_a_curve_in_shorthand_is_spelt_out() -> None:
    """Repeated, rising, missing and non-finite values."""
    assert parse("1 2x2 0.5-0.1x3 _x2 inf") == pytest.approx([1, 2, 2, 0.5, 0.4, 0.3, None, None, math.inf])
    assert math.isnan(parse("nan")[0] or 0.0)


@pytest.mark.parametrize("text", ["", "x", "1+2", "1x0", "1x999999", "_+1x3", "1,2"])
def test_a_curve_that_is_none_is_refused(text: str) -> None:
    """What is not understood is never half taken."""
    with pytest.raises(ValueError, match="curve"):
        parse(text)


@given(st.text(max_size=40))
def test_any_text_is_a_curve_or_refused(text: str) -> None:
    """Nothing but ValueError comes of a text."""
    try:
        values = parse(text)
    except ValueError:
        return
    assert values


def test_facts_of_curves_are_those_of_a_run() -> None:
    """The detector finds the spike in the curve, and its facts are computed as from evidence."""
    facts, verdict = facts_from(
        {"loss": "2.3-0.01x100 9x40", "grad.norm": "1x99 50x41", "val.loss": "2 1.8 9"}
    )
    assert verdict == "spike"
    assert facts["spike.step"].value == 100
    assert facts["grad.norm_ratio"].value == pytest.approx(50)
    assert facts["grad.lead"].value == 1
    assert facts_from({"loss": "2.3-0.01x100"})[1] == "healthy"


SERIES_RULE = """
id: mine
title: Mine
status: draft
cause: model.exploding-gradients
certainty: 0.5
summary: s
why: w
when: [{fact: grad.lead, ge: 1}]
tests:
  - {name: up, series: {loss: "1x100 9x40", grad.norm: "1x99 50x41"}, fires: true}
  - {name: level, series: {loss: "1x100 9x40", grad.norm: "1x140"}, fires: false}
  - {name: wrong, series: {loss: "1x100 9x40", grad.norm: "1x99 50x41"}, fires: false}
"""


def test_rules_are_tested_on_curves(tmp_path: Path) -> None:
    """A case on curves fires or not as the facts of those curves say, and a wrong expectation fails."""
    base = loaded(tmp_path, SERIES_RULE)
    assert [result.passed for result in run_cases(base, "mine")] == [True, True, False]


def test_a_wrong_curve_in_a_file_is_named_with_its_line(tmp_path: Path) -> None:
    """The file, the line and what is valid."""
    base = loaded(tmp_path, SERIES_RULE.replace('"1x140"', '"1y140"'))
    (problem,) = base.problems
    assert problem.line == 12
    assert "'1y140'" in problem.problem


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_json_schemas_are_objects_with_every_field(kind: str) -> None:
    """What an editor checks with knows the fields of the document."""
    import json

    schema = json.loads(schema_of(kind))
    assert set(schema["properties"]) == {f.alias or n for n, f in KINDS[kind].model_fields.items()}


def test_the_documents_of_the_format_page_are_sound(tmp_path: Path) -> None:
    """The rule, cause and fix that the page shows are what it says they are, and the rule's tests hold."""
    page = (Path(__file__).parents[2] / "docs" / "rule-format.md").read_text(encoding="utf-8")
    rule, cause, fix = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    for kind, text in (("rules", rule), ("causes", cause), ("fixes", fix)):
        name = re.match(r"id: (\S+)", text)
        assert name is not None
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{name[1]}.yaml").write_text(text, encoding="utf-8")
    base = RuleBase.load(sources=[Source(LIBRARY, team=False), Source(tmp_path)])
    assert [str(problem) for problem in base.problems] == []
    assert [(r.name, r.problem) for r in run_cases(base, "grad-norm-explodes") if not r.passed] == []
    assert all(map(base.is_team, ("grad-norm-explodes", "model.exploding-gradients", "fix.clip-gradients")))


def test_the_curves_of_the_format_page_are_a_spike() -> None:
    """The step and the jump that the page names."""
    page = (Path(__file__).parents[2] / "docs" / "rule-format.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"`{(loss: \".*?)}` is a run", page)
    facts, verdict = facts_from(dict(re.findall(r'([a-z.]+): "(.*?)"', shown)))
    assert verdict == "spike"
    assert facts["spike.step"].value == 100
    assert facts["lr.jump"].value == pytest.approx(40)
