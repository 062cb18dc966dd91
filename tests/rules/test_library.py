"""The shipped library: every document is sound, and every rule does what its own cases say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from spikelore.rules.cases import run_cases
from spikelore.rules.documents.checking import mismatch
from spikelore.rules.facts.registry import specs
from spikelore.rules.rulebase import RuleBase
from spikelore.rules.rulebase.folders import LIBRARY, Source

GYM = Path(__file__).parents[2] / "bench" / "gym"


@pytest.fixture(scope="module")
def library() -> RuleBase:
    return RuleBase.load(sources=[Source(LIBRARY, team=False)])


def test_every_document_is_sound(library: RuleBase) -> None:
    """No file of the library is left out or doubtful."""
    assert [str(problem) for problem in library.problems] == []


def test_every_rule_passes_its_cases(library: RuleBase) -> None:
    """Each embedded case holds, look-alikes included."""
    results = list(run_cases(library))
    assert len(results) > 2 * len(library.rules)
    assert [(r.rule, r.name, r.problem) for r in results if not r.passed] == []


def test_every_rule_fires_and_stays_silent_in_a_case(library: RuleBase) -> None:
    """A rule carries a case for each way it can be wrong, and a reference."""
    for rule in library.rules.values():
        assert {case.fires for case in rule.tests} == {True, False}, rule.id
        assert rule.references, rule.id


def test_every_rule_is_told_from_those_it_could_be_confused_with(library: RuleBase) -> None:
    """For each related rule there are facts on which that one fires and this one does not."""
    for rule in library.rules.values():
        assert set(rule.related) == {case.like for case in rule.tests if case.like}, rule.id


def test_a_stable_rule_was_right_in_the_gym(library: RuleBase) -> None:
    """Every run that a stable rule names is on record, and nobody else claims to be stable."""
    proven = json.loads((GYM / "recorded.json").read_text(encoding="utf-8"))
    jobs = {
        job["id"] for index in GYM.glob("index*.yaml") for job in yaml.safe_load(index.read_text("utf-8"))
    }
    assert {job for seen in proven.values() for job in seen} <= jobs
    for rule in library.rules.values():
        assert bool(rule.recorded) == (rule.status == "stable"), rule.id
        assert set(rule.recorded) <= set(proven.get(rule.id, [])), rule.id


def test_every_cause_can_be_concluded_and_fixed(library: RuleBase) -> None:
    """No cause without a rule, and none without something to do now."""
    for cause in library.causes.values():
        assert library.concluding(f"cause.{cause.id}"), cause.id
        assert any(library.fixes[name].when == "now" for name in cause.fixes), cause.id


def test_facts_of_real_runs_lie_within_their_bounds() -> None:
    """A bound that a fact can pass would refuse thresholds that make sense."""
    for line in (GYM / "answers.jsonl").read_text(encoding="utf-8").splitlines():
        answer = json.loads(line)
        for name, given in answer["facts"].items():
            spec, value = specs()[name], given["value"] if isinstance(given, dict) else given
            assert mismatch(value, spec) is None, (answer["job"], name)
            if spec.kind == "number":
                low, high = spec.low, spec.high
                assert low is None or value >= low, (answer["job"], name, value)
                assert high is None or value <= high, (answer["job"], name, value)


def test_texts_are_in_both_languages(library: RuleBase) -> None:
    """Titles, summaries and fixes stand in English and Chinese."""
    for document in (*library.rules.values(), *library.causes.values()):
        assert document.title.zh, document.id
        assert document.summary.zh, document.id
    assert all(fix.text.zh for fix in library.fixes.values())
