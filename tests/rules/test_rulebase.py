"""The rule base: a team's documents over the shipped ones, whatever is wrong with some of them."""

from __future__ import annotations

import os
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import damaged
from spikelore.rules.documents import Problem
from spikelore.rules.facts.registry import FactSet
from spikelore.rules.rulebase import (
    LIBRARY,
    RuleBase,
    RuleStore,
    Source,
    default_sources,
    folders,
    team_directory,
)
from spikelore.rules.rulebase.loading import FileCache

SHIPPED = Source(LIBRARY, team=False)
CACHE = FileCache()
"""The shipped files are read once for all tests."""


def rule(name: str, conclusion: str = "cause: model.exploding-gradients", *when: str, ge: float = 2) -> str:
    conditions = "".join(f"  - {{fact: {fact}, ge: 0.5}}\n" for fact in when)
    return (
        f"id: {name}\ntitle: T\nstatus: draft\n{conclusion}\ncertainty: 0.5\nsummary: s\nwhy: w\n"
        f"when:\n  - {{fact: grad.norm_ratio, ge: {ge}}}\n{conditions}"
    )


def put(folder: Path, **texts: str) -> Source:
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/').replace('_', '-')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Source(folder)


def base(*sources: Source) -> RuleBase:
    return RuleBase.load(sources=[SHIPPED, *sources], cache=CACHE)


def errors(loaded: RuleBase) -> list[Problem]:
    return [problem for problem in loaded.problems if problem.severity == "error"]


def test_a_team_adds_rules_causes_and_fixes(tmp_path: Path) -> None:
    """Rules may stand right in the directory, all kinds in folders of their own."""
    source = put(
        tmp_path,
        plain=rule("plain"),
        rules__mine=rule("mine", "cause: data.mine"),
        causes__data_mine="",
        fixes__fix_mine="id: fix.mine\nwhen: now\ntext: Do it.\n",
    )
    (tmp_path / "causes" / "data-mine.yaml").unlink()
    text = "id: data.mine\nfamily: data\ntitle: t\nsummary: s\nfixes: [fix.mine]\n"
    (tmp_path / "causes" / "data.mine.yaml").write_text(text)
    (tmp_path / "fixes" / "fix-mine.yaml").rename(tmp_path / "fixes" / "fix.mine.yaml")
    loaded = base(source)
    assert loaded.problems == []
    assert {"plain", "mine"} <= loaded.rules.keys()
    assert "data.mine" in loaded.causes
    assert "fix.mine" in loaded.fixes
    assert loaded.is_team("mine")
    assert not loaded.is_team("gradient-over-100")
    assert loaded.path("mine") == tmp_path / "rules" / "mine.yaml"


def test_a_document_of_the_team_replaces_the_shipped_one(tmp_path: Path) -> None:
    """The same id, another threshold: the team's is in force, and a later directory wins over an earlier."""
    first = put(tmp_path / "a", gradient_over_100=rule("gradient-over-100", ge=7))
    second = put(tmp_path / "b", gradient_over_100=rule("gradient-over-100", ge=9))
    assert base(first).rules["gradient-over-100"].when[0].ge == 7
    assert base(first, second).rules["gradient-over-100"].when[0].ge == 9
    assert base(second, first).rules["gradient-over-100"].when[0].ge == 7


def test_a_rule_is_switched_off_by_its_id_and_on_again(tmp_path: Path) -> None:
    """A file that says disabled, and a later directory that brings it back."""
    off = put(tmp_path / "off", gradient_over_100="id: gradient-over-100\ndisabled: true\n")
    on = put(tmp_path / "on", gradient_over_100=rule("gradient-over-100"))
    assert "gradient-over-100" not in base(off).rules
    assert base(off).disabled == {"gradient-over-100": tmp_path / "off" / "gradient-over-100.yaml"}
    assert "gradient-over-100" in base(off, on).rules
    assert base(off, on).disabled == {}


def test_a_cause_that_is_switched_off_takes_its_rules_along_without_a_complaint(tmp_path: Path) -> None:
    """Nobody asked for the rules either."""
    name = "model.exploding-gradients"
    (tmp_path / "causes").mkdir()
    (tmp_path / "causes" / f"{name}.yaml").write_text(f"id: {name}\ndisabled: true\n")
    loaded = base(Source(tmp_path))
    assert errors(loaded) == []
    assert not loaded.concluding(f"cause.{name}")


def test_a_broken_override_leaves_the_shipped_rule_in_force(tmp_path: Path) -> None:
    """Whether the file itself is wrong, or only its place among the others."""
    shipped = base().rules["gradient-over-100"]
    for text in (
        rule("gradient-over-100") + "when: [",
        rule("gradient-over-100", "cause: model.unheard-of"),
        rule("gradient-over-100", "symptom: symptom.x", "symptom.nobody-concludes"),
    ):
        loaded = base(put(tmp_path, gradient_over_100=text, good=rule("good")))
        assert loaded.rules["gradient-over-100"] == shipped
        assert "good" in loaded.rules
        (problem,) = errors(loaded)
        assert problem.file == str(tmp_path / "gradient-over-100.yaml")


@pytest.mark.parametrize(
    ("conclusion", "fact", "line", "said"),
    [
        ("cause: model.exploding-gradient", "lr.jump", 4, "did you mean model.exploding-gradients"),
        ("symptom: symptom.mine", "symptom.bad-updates", 10, "did you mean symptom.bad-update"),
    ],
)
def test_a_name_that_nothing_has_is_told_with_its_line(
    tmp_path: Path, conclusion: str, fact: str, line: int, said: str
) -> None:
    """A cause that no document describes, a conclusion that no rule draws."""
    loaded = base(put(tmp_path, mine=rule("mine", conclusion, fact)))
    (problem,) = errors(loaded)
    assert (problem.line, said in problem.valid) == (line, True)
    assert "mine" not in loaded.rules


def test_loose_ends_are_warnings(tmp_path: Path) -> None:
    """A related rule or a fix that does not exist keeps nothing from working."""
    text = rule("mine") + "related: [gradient-over-1000]\nexplains: [data.unheard]\n"
    loaded = base(put(tmp_path, mine=text))
    assert [(p.severity, p.line, p.where) for p in loaded.problems] == [
        ("warning", 10, "related[0]"),
        ("warning", 11, "explains[0]"),
    ]
    assert "mine" in loaded.rules


def test_a_circle_is_broken_and_its_path_told(tmp_path: Path) -> None:
    """The last rule of it goes; the others and the rest of the base stay."""
    source = put(
        tmp_path,
        a=rule("a", "symptom: symptom.a", "symptom.c"),
        b=rule("b", "symptom: symptom.b", "symptom.a"),
        c=rule("c", "symptom: symptom.c", "symptom.b"),
        start=rule("start", "symptom: symptom.c"),
        good=rule("good"),
    )
    loaded = base(source)
    (problem,) = errors(loaded)
    assert problem.file.endswith("c.yaml")
    assert "in a circle: a -> c -> b -> a" in problem.problem
    assert {"a", "b", "start", "good"} <= loaded.rules.keys()
    assert loaded.evaluate(FactSet.of({"grad.norm_ratio": 5.0})).certainty("symptom.a") == 0.25


def test_a_rule_on_its_own_conclusion_is_a_circle(tmp_path: Path) -> None:
    """The smallest one."""
    loaded = base(put(tmp_path, a=rule("a", "symptom: symptom.a", "symptom.a")))
    assert "a -> a" in errors(loaded)[0].problem


def test_a_circle_through_shipped_rules_costs_the_teams_rule(tmp_path: Path) -> None:
    """What is shipped stays in force."""
    loaded = base(put(tmp_path, zz=rule("zz", "symptom: symptom.bad-update", "cause.strategy.lr-surge")))
    assert errors(loaded)[0].file.endswith("zz.yaml")
    assert base().rules.keys() == loaded.rules.keys()


def test_rules_may_not_be_stacked_without_end(tmp_path: Path) -> None:
    """A tower of forty layers loses its top, and says how many are valid."""
    texts = {"r00": rule("r00", "symptom: symptom.s00")}
    for n in range(1, 40):
        texts[f"r{n:02}"] = rule(f"r{n:02}", f"symptom: symptom.s{n:02}", f"symptom.s{n - 1:02}")
    loaded = base(put(tmp_path, **texts))
    assert "r31" in loaded.rules
    assert "r32" not in loaded.rules
    assert all("layers" in p.problem or "no rule concludes" in p.problem for p in errors(loaded))


def test_one_id_may_stand_once_in_a_directory(tmp_path: Path) -> None:
    """The first file wins; the second is named with the first."""
    loaded = base(put(tmp_path, mine=rule("mine"), rules__mine=rule("mine", ge=5)))
    (problem,) = errors(loaded)
    assert problem.file.endswith("rules/mine.yaml")
    assert "mine.yaml" in problem.problem
    assert loaded.rules["mine"].when[0].ge == 2


def test_files_that_are_no_rules_are_left_alone(tmp_path: Path) -> None:
    """Hidden ones, those of editors and other kinds."""
    for name in (".hidden.yaml", "#draft.yaml", "_part.yaml", "notes.txt", "mine.yaml~"):
        (tmp_path / name).write_text("[")
    assert base(Source(tmp_path)).problems == []


def test_a_directory_that_does_not_exist_is_told(tmp_path: Path) -> None:
    """A mistyped SPIKELORE_RULES would else go unseen."""
    (problem,) = base(Source(tmp_path / "none")).problems
    assert "no such directory" in problem.problem


def test_more_files_than_are_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of endless files does not hold anybody up, also right in a team directory."""
    monkeypatch.setattr(folders, "MAX_FILES", 3)
    source = put(tmp_path, **{f"r{n}": rule(f"r{n}") for n in range(5)})
    loaded = RuleBase.load(sources=[source])
    assert any("the rest is not read" in str(problem) for problem in loaded.problems)


def test_the_teams_directory_is_the_last_one_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPIKELORE_RULES names several as PATH does; new rules go to the last."""
    monkeypatch.setenv("SPIKELORE_RULES", os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")]))
    assert [source.path for source in default_sources()][-2:] == [tmp_path / "a", tmp_path / "b"]
    assert team_directory() == tmp_path / "b"
    monkeypatch.delenv("SPIKELORE_RULES")
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path))
    assert team_directory() == tmp_path / "rules"


def test_a_changed_file_is_in_force_at_the_next_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Added, changed, broken, mended and removed; who holds an earlier base keeps a working one."""
    monkeypatch.delenv("SPIKELORE_RULES", raising=False)
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))
    store, path = RuleStore([tmp_path]), tmp_path / "mine.yaml"
    seen = []
    for text in (None, rule("mine"), rule("mine", ge=30), "[", rule("mine", ge=4), None):
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text)
        now = store.current()
        assert store.current() is now
        seen.append(now)
    facts = FactSet.of({"grad.norm_ratio": 5.0})
    assert ["mine" in each.evaluate(facts).firings for each in seen] == [
        False, True, False, False, True, False,
    ]  # fmt: skip
    assert [len(errors(each)) for each in seen] == [0, 0, 0, 1, 0, 0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64))
def test_a_damaged_file_never_takes_anything_else_along(seed: int) -> None:
    """It is refused with its place, or is a rule that can be evaluated; the sound one beside it fires."""
    with TemporaryDirectory() as folder:
        file = damaged(random.Random(seed)).write(Path(folder))
        loaded = base(put(Path(folder), good=rule("good")))
        assert "good" in loaded.evaluate(FactSet.of({"grad.norm_ratio": 50.0, "lr.jump": 9.0})).firings
        for problem in loaded.problems:
            assert problem.problem
            assert problem.line is None or problem.line > 0
        assert file.exists()
