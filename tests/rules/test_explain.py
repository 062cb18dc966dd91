"""Explanations: proof, ranking, what is missing, what would decide, and fixes with the run's own numbers."""

from __future__ import annotations

import ast
import math
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spikelore.rules.documents.placeholders import PlaceholderError, check_python, fill, placeholders
from spikelore.rules.engine import Outcome
from spikelore.rules.explain import because, needed, publishable, rank, remedies, why_not
from spikelore.rules.explain.whynot import satisfied
from spikelore.rules.facts.registry import Fact, FactSet
from spikelore.rules.rulebase import RuleBase, Source

NORM, JUMP, BATCH = "grad.norm_ratio", "lr.jump", "batch.normal"

RULES = {
    "explodes": "cause: data.a\ncertainty: 0.8\nwhen: [{fact: grad.norm_ratio, ge: 10}]\n"
    "explains: [data.b]\n",
    "explodes-more": "cause: data.a\ncertainty: 0.5\nwhen: [{fact: symptom.up, ge: 0.5}]\n",
    "up": "symptom: symptom.up\ncertainty: 0.9\nwhen: [{fact: grad.norm_ratio, ge: 5}]\n",
    "jumps": "cause: data.b\ncertainty: 0.7\nwhen: [{fact: lr.jump, ge: 3}]\n"
    "unless: [{fact: batch.normal, eq: false}]\n",
    "both": "cause: data.c\ncertainty: 0.6\n"
    "when: [{fact: lr.jump, ge: 3}, {fact: label.disagreement, ge: 0.3}]\n",
    "beside": "cause: data.d\nrole: contributing\ncertainty: 0.9\nwhen: [{fact: lr.jump, ge: 2}]\n",
    "plain": "cause: data.e\ncertainty: 0.5\nverdicts: [healthy]\nwhen: [{fact: lr.jump, ge: 2}]\n",
}
FIXES = {
    "fix.later": "when: for-good\ntext: Later.\n",
    "fix.clip": 'when: now\ntext: {en: "Clip at {grad.norm_p95:.2g}.", zh: "裁剪到 {grad.norm_p95:.2g}。"}\n'
    "fallback: Clip.\ncode: 'clip(model, {grad.norm_p95:.2g|1.0}, {optimizer.class})'\n",
    "fix.shell": "when: now\nlanguage: shell\ntext: Look.\ncode: 'grep {optimizer.class|Adam} train.py'\n",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> RuleBase:
    folder = tmp_path_factory.mktemp("library")
    for kind in ("rules", "causes", "fixes"):
        (folder / kind).mkdir()
    for name, text in RULES.items():
        head = f"id: {name}\ntitle: Title of {name}\nstatus: draft\nsummary: s\nwhy: w\n"
        (folder / "rules" / f"{name}.yaml").write_text(head + text)
    for letter in "abcdef":
        text = (
            f"id: data.{letter}\nfamily: data\nsummary: s\ntitle: {{en: Cause {letter}, zh: 原因{letter}}}\n"
        )
        fixes = "fixes: [fix.later, fix.clip, fix.shell]\n" if letter == "a" else ""
        (folder / "causes" / f"data.{letter}.yaml").write_text(text + fixes, encoding="utf-8")
    for name, text in FIXES.items():
        (folder / "fixes" / f"{name}.yaml").write_text(f"id: {name}\n{text}", encoding="utf-8")
    base = RuleBase.load(sources=[Source(Path(folder))])
    assert base.problems == []
    return base


def outcome(base: RuleBase, *facts: Fact, **values: float) -> Outcome:
    return base.evaluate(FactSet([*facts, *(Fact(n.replace("__", "."), v) for n, v in values.items())]))


def test_causes_come_with_their_certainty_and_rules(base: RuleBase) -> None:
    """Rules for one cause add up as a + b (1 - a); the most certain rule stands first."""
    (cause,) = rank(outcome(base, grad__norm_ratio=20), base)
    assert cause.id == "data.a"
    assert cause.certainty == pytest.approx(0.8 + 0.5 * 0.9 * 0.2)
    assert [firing.rule for firing in cause.firings] == ["explodes", "explodes-more"]
    assert not cause.contributing


def test_doubt_in_a_fact_is_doubt_in_the_cause(base: RuleBase) -> None:
    """A rule counts as far as the least certain of its facts."""
    (cause,) = rank(outcome(base, Fact(NORM, 20.0, None, 0.6)), base)
    assert cause.certainty == pytest.approx(1 - (1 - 0.8 * 0.6) * (1 - 0.5 * 0.9 * 0.6))


def test_what_another_cause_explains_is_contributing(base: RuleBase) -> None:
    """Root causes first; a rule that says contributing is never a root."""
    ranked = rank(outcome(base, grad__norm_ratio=20, lr__jump=5), base)
    assert [(c.id, c.contributing, c.explained_by) for c in ranked] == [
        ("data.a", False, []),
        ("data.d", True, []),
        ("data.b", True, ["data.a"]),
    ]


def test_causes_that_cannot_be_told_apart_are_tied(base: RuleBase) -> None:
    """Each names the other where their certainties are as good as one."""
    doubtful = [Fact(JUMP, 5.0), Fact("label.disagreement", 0.5), Fact(NORM, 1.0)]
    ranked = [c for c in rank(outcome(base, *doubtful), base) if not c.contributing]
    assert [(c.id, c.tied) for c in ranked] == [("data.b", []), ("data.c", [])]
    doubtful[0] = Fact(JUMP, 5.0, None, 0.4)
    ranked = [c for c in rank(outcome(base, *doubtful), base) if not c.contributing]
    assert [(c.id, c.tied) for c in ranked] == [("data.b", ["data.c"]), ("data.c", ["data.b"])]


def test_the_proof_follows_conclusions_down_to_facts(base: RuleBase) -> None:
    """Each condition once, with value, unit, meaning and the steps it was computed on."""
    found = outcome(base, Fact(NORM, 20.0, (40, 52)))
    (cause,) = rank(found, base)
    proof = because(cause.firings, found, base, "en")
    assert [(b.fact, b.condition, b.value) for b in proof] == [
        (NORM, ">= 10", 20.0),
        ("symptom.up", ">= 0.5", 0.9),
        (NORM, ">= 5", 20.0),
    ]
    assert proof[0].window == (40, 52)
    assert proof[0].unit == "x"
    assert proof[1].meaning == "Title of up"


def test_every_other_cause_says_what_is_missing(base: RuleBase) -> None:
    """A condition that failed, a fact nobody measured, a veto, a rule for other findings, no rule at all."""
    found = outcome(base, Fact(BATCH, False), grad__norm_ratio=6, lr__jump=5)
    answers = {answer.id: answer for answer in why_not(found, base, "spike", "en")}
    assert "data.d" not in answers
    assert "excluded because" in answers["data.b"].missing[0]
    assert "was not measured (label.disagreement)" in answers["data.c"].missing[0]
    assert answers["data.e"].missing == ["its rules apply to other findings than this one"]
    assert answers["data.f"].missing == ["no rule concludes it yet"]
    chinese = {answer.id: answer for answer in why_not(found, base, "spike", "zh")}
    assert chinese["data.f"].title == "原因f"
    assert chinese["data.f"].missing == ["目前没有规则能得出该原因"]


def test_a_failed_condition_names_value_and_need(base: RuleBase) -> None:
    """Also below a conclusion that nothing drew."""
    answers = {a.id: a.missing for a in why_not(outcome(base, grad__norm_ratio=2), base, "spike", "en")}
    sentences = answers["data.a"]
    assert any("is 2 x; needed: >= " in sentence for sentence in sentences)


def test_the_nearest_miss_comes_first(base: RuleBase) -> None:
    """A rule of which half holds is nearer than one of which nothing does."""
    found = outcome(base, lr__jump=5, grad__norm_ratio=1)
    assert satisfied(base.rules["both"], found) == 0.5
    assert satisfied(base.rules["explodes"], found) == 0
    assert next(answer.id for answer in why_not(found, base, "spike", "en")) == "data.c"


def test_what_would_decide_is_what_a_nearly_complete_rule_waits_for(base: RuleBase) -> None:
    """Not what cannot decide any more, and only for the causes asked about."""
    found = outcome(base, lr__jump=5, grad__norm_ratio=1)
    (sentence,) = needed(found, base, "en")
    assert "label.disagreement" in sentence
    assert "“Cause c”" in sentence
    assert needed(found, base, "en", among=["data.a"]) == []
    assert "原因c" in needed(found, base, "zh")[0]


def test_fixes_carry_the_numbers_of_the_run(base: RuleBase) -> None:
    """Those for now first; without the number the fallback, and no code that would lack a value."""
    known = {"grad.norm_p95": 2.345, "optimizer.class": "Adam"}
    fixes = remedies("data.a", known, base, "en")
    assert [(f.id, f.text, f.code) for f in fixes] == [
        ("fix.clip", "Clip at 2.3.", "clip(model, 2.3, 'Adam')"),
        ("fix.shell", "Look.", "grep Adam train.py"),
        ("fix.later", "Later.", None),
    ]
    assert remedies("data.a", known, base, "zh")[0].text == "裁剪到 2.3。"
    bare = remedies("data.a", {}, base, "en")
    assert (bare[0].text, bare[0].code) == ("Clip.", None)
    assert remedies("data.unheard", {}, base, "en") == []


@given(st.text())
def test_a_value_never_turns_into_code(value: str) -> None:
    """Whatever a text holds, it stays one literal of Python and one word of a shell."""
    code = fill("f({optimizer.class})", {"optimizer.class": value}, quote="python")
    call = ast.parse(code or "", mode="eval").body
    assert isinstance(call, ast.Call)
    assert ast.literal_eval(call.args[0]) == value
    words = shlex.split(fill("grep {optimizer.class} x", {"optimizer.class": value}, quote="shell") or "")
    assert words == ["grep", value, "x"]


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("{a.b}", 3.0, "3"),
        ("{a.b}", 0.123456, "0.1235"),
        ("{a.b:.2g}", 0.123456, "0.12"),
        ("{a.b:,d}", 1234.6, "1,235"),
        ("{a.b:.0%}", 0.25, "25%"),
        ("{a.b:d}", math.inf, "inf"),
        ("{a.b}", True, "True"),
        ("{{a.b}}", 3.0, "{a.b}"),
        ("{a.b|none}", None, "none"),
        ("{a.b:.2g|1.0}", None, "1.0"),
        ("{a.b|}", None, ""),
        ("{a.b}", None, None),
    ],
)
def test_placeholders_are_filled(text: str, value: float | None, shown: str | None) -> None:
    """Format and default; a number without a format has four digits."""
    assert fill(text, {} if value is None else {"a.b": value}) == shown


@pytest.mark.parametrize("text", ["{", "}", "{a.b", "{a.b!r}", "{0}", "{a[0]}", "{a.b:>10}", "{}"])
def test_other_braces_are_refused(text: str) -> None:
    """No attributes, indexes, conversions or paddings."""
    with pytest.raises(PlaceholderError):
        placeholders(text)


def test_infinite_numbers_stay_python() -> None:
    """A code template is checked with what it is filled with."""
    assert fill("x = {a.b}", {"a.b": math.inf}, quote="python") == 'x = float("inf")'
    assert check_python("x = {a.b}", {"a.b": -math.inf}) is None
    assert check_python("x = {a.b} {a.b}", {}) is not None


@pytest.mark.parametrize(
    ("value", "shown"),
    [(math.inf, "inf"), (-math.inf, "-inf"), (10**400, "inf"), (-(2**70), "-inf"), (2.0, 2.0), (True, True)],
)
def test_values_that_json_cannot_hold_become_text(value: float, shown: object) -> None:
    """All others stay as they are."""
    assert publishable(value) == shown
    assert type(publishable(value)) is type(shown)
