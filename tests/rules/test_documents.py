"""Documents say what is wrong with them: the file, the line, what is valid, the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest
from spikelore.rules.documents import DocumentError, FixDocument, Problem, RuleDocument
from spikelore.rules.documents.markup import MAX_BYTES, MAX_DEPTH, MAX_VALUES, parse
from spikelore.rules.documents.problems import suggest
from spikelore.rules.documents.reading import fields_at, from_yaml, read_text
from spikelore.rules.rulebase.folders import Found, Source
from spikelore.rules.rulebase.loading import read_document

HEAD = """id: mine
title: Mine
status: draft
cause: model.exploding-gradients
certainty: 0.5
summary: s
why: w
"""
WHEN = HEAD + "when: [{fact: grad.norm_ratio, ge: 3}]\n"


def problems(tmp_path: Path, text: str, kind: str = "rules", name: str = "mine") -> list[Problem]:
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return read_document(Found(path, kind, Source(tmp_path)))[1]  # type: ignore[arg-type]


def only(found: list[Problem]) -> tuple[int | None, str, str, str]:
    (problem,) = found
    return problem.line, problem.where, problem.problem, problem.valid


def test_a_sound_rule_has_no_problem(tmp_path: Path) -> None:
    """Least that a rule needs."""
    assert problems(tmp_path, WHEN) == []


@pytest.mark.parametrize(
    ("condition", "where", "said", "valid"),
    [
        (
            "{fact: grad.norm_ration, ge: 3}",
            "when[1].fact",
            "no fact is named",
            "did you mean grad.norm_ratio",
        ),
        ("{fact: grad.norm_ratio, ge: high}", "when[1].ge", "must be a number", ""),
        ("{fact: grad.norm_ratio, eq: true}", "when[1].eq", "is a bool", "valid is a number"),
        ("{fact: batch.normal, ge: 1}", "when[1].ge", "compares numbers", "valid: eq, ne, in"),
        ("{fact: batch.normal, eq: 'yes'}", "when[1].eq", "is a text", "valid: true, false"),
        ("{fact: optimizer.class, eq: 3}", "when[1].eq", "is a number", "text in quotes"),
        ("{fact: batch.recent_share, gt: 1}", "when[1].gt", "can never hold", "from 0 up to 1"),
        ("{fact: batch.recent_share, ge: 0}", "when[1].ge", "always holds", "from 0 up to 1"),
        ("{fact: symptom.bad-update, gt: 2}", "when[1].gt", "can never hold", "from 0 up to 1"),
        ("{fact: grad.norm_ratio}", "when[1]", "exactly one operator", ""),
        ("{fact: grad.norm_ratio, ge: 3, le: 5}", "when[1]", "exactly one operator", ""),
        ("{fact: grad.norm_ratio, above: 3}", "when[1].above", "unknown field", "valid: "),
        ("{fact: grad.norm_ratio, get: 3}", "when[1].get", "unknown field", "or ge?"),
    ],
)
def test_a_wrong_condition_is_placed(
    tmp_path: Path, condition: str, where: str, said: str, valid: str
) -> None:
    """An unknown name, a wrong type, a threshold that no value passes or that every value passes."""
    text = HEAD + f"when:\n  - {{fact: lr.jump, ge: 3}}\n  - {condition}\n"
    found = problems(tmp_path, text)
    line, place, problem, right = only(found[:1])
    assert (line, place) == (10, where)
    assert said in problem
    assert valid in right
    assert str(found[0]).startswith(f"{tmp_path / 'mine.yaml'}:10: {where}: ")


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("ge: 5", "le: 3", False),
        ("gt: 3", "lt: 3", False),
        ("ge: 3", "le: 3", True),
        ("eq: 4", "lt: 4", False),
    ],
)
def test_conditions_that_exclude_each_other_are_an_error(
    tmp_path: Path, first: str, second: str, together: bool
) -> None:
    """Both are named; touching bounds are possible where both are inclusive."""
    text = HEAD + f"when:\n  - {{fact: grad.norm_ratio, {first}}}\n  - {{fact: grad.norm_ratio, {second}}}\n"
    found = problems(tmp_path, text)
    assert (found == []) is together
    if found:
        assert "grad.norm_ratio can never satisfy all conditions" in only(found)[2]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("id: mine", "id: Mine", 1, "lower case words with hyphens"),
        ("id: mine", "id: other", 1, "is not the file's name"),
        ("status: draft", "status: finished", 3, "'draft', 'test' or 'stable'"),
        ("cause: model.exploding-gradients", "cause: exploding", 4, "a family (data, model"),
        ("cause: model.exploding-gradients\n", "", 1, "exactly one of cause, symptom, pattern"),
        ("certainty: 0.5", "certainty: 1.5", 5, "up to 1"),
        ("certainty: 0.5", "certainty: 0", 5, "above 0"),
        ("certainty: 0.5", "certainty: high", 5, "number"),
        ("certainty: 0.5", "certainity: 0.5", 5, "did you mean certainty"),
        ("why: w\n", "", 1, "why: is missing"),
        ("when: [{fact: grad.norm_ratio, ge: 3}]", "when: []", 8, "valid is at least 1"),
        ("when: [{fact: grad.norm_ratio, ge: 3}]", "when: 3", 8, "must be a list"),
    ],
)
def test_a_wrong_field_is_placed(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    """Whatever field it is, its line and what is valid stand in the message."""
    assert old in WHEN
    found = problems(tmp_path, WHEN.replace(old, new))
    assert any(problem.line == line and said in str(problem) for problem in found), list(map(str, found))


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    """Nobody has to mend one line to hear of the next."""
    text = (
        HEAD
        + "when:\n  - {fact: a.b, ge: 3}\n  - {fact: c.d, ge: 3}\n"
        + "tests:\n  - {name: t, facts: {e.f: 1}, fires: true}\n"
    )
    assert [problem.line for problem in problems(tmp_path, text)] == [9, 10, 12]


BEYOND_DATA = {
    "anchor": ("a: &x 1\nb: *x\n", "anchor &x"),
    "alias": ("a: *x\n", "alias *x"),
    "tag": ("a: !!python/object/apply:os.system [id]\n", "tag"),
    "twice": ("a: 1\na: 2\n", "stands twice"),
    "second": ("a: 1\n---\nb: 1\n", "second document"),
    "key": ("{a: 1}: 2\n", "keys are texts"),
    "depth": ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nested deeper"),
    "endless": ("[" * 50_000, "nest"),
    "values": ("- a\n" * (MAX_VALUES + 2), "more than 8,000 values"),
    "size": ("a" * (MAX_BYTES + 1), "bytes long"),
    "open": ("a: [1", "not YAML"),
    "zero": ("a: \x00", "not YAML"),
}


@pytest.mark.parametrize("name", BEYOND_DATA)
def test_what_is_more_than_plain_data_is_refused(name: str) -> None:
    """No code, no references that grow, no size or depth without bound."""
    text, said = BEYOND_DATA[name]
    with pytest.raises(DocumentError) as error:
        parse(text, "x.yaml")
    assert "x.yaml" in str(error.value)
    assert said in str(error.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    """A file in another encoding is named, not guessed at."""
    with pytest.raises(DocumentError, match=r"x\.yaml: not YAML"):
        parse(b"a: \xff\xfe", "x.yaml")


def test_numbers_and_words_follow_yaml_1_2() -> None:
    """What Python's usual reader takes for a text or a boolean."""
    data = parse("a: 1e-5\nb: no\nc: on\nd: '3'\ne: .inf\nf: 0x10\ng: ~\nh: 1_000\n").data
    assert data == {
        "a": 1e-5, "b": "no", "c": "on", "d": "3", "e": float("inf"), "f": "0x10", "g": None, "h": "1_000",
    }  # fmt: skip


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    """A directory, a missing file and one that is too large."""
    (tmp_path / "large.yaml").write_bytes(b"a" * (MAX_BYTES + 1))
    (tmp_path / "folder.yaml").mkdir()
    for name, said in (("large", "bytes long"), ("folder", "not a regular file"), ("none", "No such file")):
        with pytest.raises(DocumentError, match=said):
            read_text(tmp_path / f"{name}.yaml")


@pytest.mark.parametrize(
    ("extra", "said"),
    ids=["when", "unless", "summary", "tests"],
    argvalues=[
        ("when: [" + "{fact: grad.norm_ratio, ge: 3}, " * 40 + "]", "valid is up to 32"),
        ("unless: [" + "{fact: grad.norm_ratio, ge: 3}, " * 40 + "]", "valid is up to 32"),
        ("summary: " + "x" * 5_000, "valid is up to 4000 characters"),
        ("tests: [" + "{name: t, fires: true}, " * 60 + "]", "valid is up to 50"),
    ],
)
def test_what_the_engine_cannot_bear_is_refused(tmp_path: Path, extra: str, said: str) -> None:
    """Lists and texts have an end."""
    field = extra.partition(":")[0]
    kept = "".join(line for line in WHEN.splitlines(keepends=True) if not line.startswith(f"{field}:"))
    assert said in " ".join(map(str, problems(tmp_path, kept + extra + "\n")))


def test_too_many_combinations_of_alternatives_are_refused(tmp_path: Path) -> None:
    """Each combination becomes a rule of the engine."""
    many = ", ".join(f"'{n}'" for n in range(9))
    text = HEAD + "when:\n" + f"  - {{fact: optimizer.class, in: [{many}]}}\n" * 2
    assert "81 combinations" in " ".join(map(str, problems(tmp_path, text)))


def test_too_many_values_that_forbid_a_rule_are_refused(tmp_path: Path) -> None:
    """They are engine rules as well."""
    many = ", ".join(f"'{n}'" for n in range(20))
    text = WHEN + "unless:\n" + f"  - {{fact: optimizer.class, in: [{many}]}}\n" * 4
    assert "unless compares with 80 values" in " ".join(map(str, problems(tmp_path, text)))


def test_a_case_of_a_rule_is_checked_too(tmp_path: Path) -> None:
    """A fact that is none, a value of another type, a look-alike that should fire."""
    cases = (
        "tests:\n"
        "  - {name: a, facts: {grad.norm_ration: 5}, fires: true}\n"
        "  - {name: b, facts: {grad.norm_ratio: high}, fires: true}\n"
        "  - {name: c, facts: {grad.norm_ratio: 1}, fires: false, like: other, certainty: 0.3}\n"
    )
    assert "certainty can be tested only" in str(problems(tmp_path, WHEN + cases)[0])
    sound = cases.replace(", certainty: 0.3", "")
    assert [(p.line, p.where) for p in problems(tmp_path, WHEN + sound)] == [
        (10, "tests[0].facts.grad.norm_ration"),
        (11, "tests[1].facts.grad.norm_ratio"),
    ]


PROVEN = """references: [https://example.org]
related: [other]
tests:
  - {name: a, facts: {grad.norm_ratio: 5}, fires: true}
  - {name: b, facts: {grad.norm_ratio: 1}, fires: false, like: other}
"""


def test_a_rule_past_a_draft_must_prove_itself(tmp_path: Path) -> None:
    """Both kinds of case, a reference and a look-alike for each related rule; a draft needs none."""
    tried = WHEN.replace("draft", "test")
    assert problems(tmp_path, tried + PROVEN) == []
    lacking = problems(tmp_path, tried + "related: [other]\n")
    assert [(p.severity, p.where, p.problem) for p in lacking] == [
        ("warning", "tests", "no test in which it fires"),
        ("warning", "tests", "no test in which it stays silent"),
        ("warning", "references", "no reference"),
        ("warning", "related[0]", "no test tells it from other"),
    ]


def test_a_rule_is_stable_only_with_a_recorded_run(tmp_path: Path) -> None:
    """The claim is refused at its line where no run stands behind it."""
    stable = WHEN.replace("draft", "stable") + PROVEN
    line, _, said, valid = only(problems(tmp_path, stable))
    assert (line, said) == (3, "stable, but no recorded run is named")
    assert "status test" in valid
    assert problems(tmp_path, stable + "recorded: [strategy.lr-surge/formula]\n") == []


FIX = """id: fix.mine
when: now
text: "Clip at {grad.norm_p95:.2g}."
fallback: Clip.
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("grad.norm_p95", "grad.norm_p96", "did you mean grad.norm_p95"),
        ("{grad.norm_p95:.2g}", "{grad.norm_p95", "a brace that starts no placeholder"),
        ("{grad.norm_p95:.2g}", "{grad.norm_p95.__class__}", "no fact is named"),
        ("fallback: Clip.\n", "", "fallback is needed"),
        ("fallback: Clip.\n", "fallback: Clip.\ncode: 'x = ('\n", "not valid Python"),
    ],
)
def test_a_fix_is_checked(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Placeholders name facts, and code is Python whatever is filled in."""
    assert problems(tmp_path, FIX, "fixes", "fix.mine") == []
    found = problems(tmp_path, FIX.replace(old, new), "fixes", "fix.mine")
    assert said in " ".join(map(str, found))


def test_a_family_must_be_that_of_the_id(tmp_path: Path) -> None:
    """A cause says its family twice, and the same."""
    text = "id: data.mine\nfamily: model\ntitle: t\nsummary: s\nneeds: [lr.jumb]\n"
    assert "the id says data" in str(problems(tmp_path, text, "causes", "data.mine")[0])
    needs = problems(tmp_path, text.replace("family: model", "family: data"), "causes", "data.mine")
    assert only(needs)[0] == 5
    assert "did you mean lr.jump" in only(needs)[3]


def test_names_are_suggested_and_else_listed() -> None:
    """Near names first; where nothing is near, some of all that are valid."""
    assert suggest("lr.jumb", ["lr.jump", "loss.ratio"]) == "did you mean lr.jump?"
    assert suggest("zzz", [f"n{i:02}" for i in range(20)]).endswith("n11 and 8 more")
    assert suggest("zzz", []) == "there are none yet"


def test_fields_are_known_at_any_depth() -> None:
    """What an editor or a message lists at a place."""
    assert "fact" in fields_at(RuleDocument, ("when", 0))
    assert "in" in fields_at(RuleDocument, ("when", 0))
    assert fields_at(FixDocument, ("text",)) == ["en", "zh"]
    assert fields_at(FixDocument, ("nothing", "below")) == []


def test_a_text_in_one_language_counts_as_english() -> None:
    """Chinese falls back to it."""
    rule = from_yaml(WHEN, RuleDocument)
    assert rule.title.pick("zh") == rule.title.pick("en") == "Mine"
