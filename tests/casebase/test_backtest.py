"""A rule held against everything on record."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from spikelore.casebase import CaseError, CaseLibrary, judging
from spikelore.casebase.backtest import Cancelled, Replayed, backtest, needed_rules, records
from spikelore.casebase.healthy import keep, kept
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.rules import diagnose
from spikelore.rules.documents import RuleDocument
from spikelore.rules.documents.reading import from_yaml
from spikelore.rules.rulebase import RuleBase

from .samples import EXPLODING, diagnosis, manifest, run_directory

RULE = """
id: norm-far-up
title: Norm far up
status: draft
cause: model.exploding-gradients
certainty: 0.7
summary: The gradient norm rose.
why: It does so when gradients explode.
when:
  - {fact: grad.norm_ratio, ge: 50}
"""


@pytest.fixture(scope="module")
def base() -> RuleBase:
    return RuleBase.load()


@pytest.fixture
def rule() -> RuleDocument:
    return from_yaml(RULE, RuleDocument)


def made(count: int) -> list[Replayed]:
    """Return records of which every other one should be hit."""
    return [
        Replayed(f"i{n}", "incident", "spike", {"grad.norm_ratio": 100.0 if n % 2 else 2.0}, EXPLODING)
        for n in range(count)
    ]


def test_incidents_and_healthy_windows_are_told_apart(
    library: CaseLibrary, base: RuleBase, rule: RuleDocument, tmp_path: Path
) -> None:
    """Confirmed incidents of the rule's cause, of other causes, open ones and healthy windows count apart."""
    for run, ratio, cause in (
        ("hit", 240.0, EXPLODING),
        ("miss", 3.0, EXPLODING),
        ("other", 300.0, "strategy.lr-surge"),
        ("open", 300.0, ""),
    ):
        incident = library.open_incident(diagnosis(run=run, ratio=ratio), manifest(run))
        if cause:
            library.resolve(incident, cause)
    healthy = run_directory(
        tmp_path / "run", manifest("fine", state="finished"), lambda step: 1 + 1 / (step + 1)
    )
    evidence = RunEvidence.load(healthy)
    for _ in range(2):
        keep(library, evidence, diagnose(evidence))
    assert len(list(kept(library))) == 3
    report = backtest(rule, base, records(library))
    assert (report.own, report.own_fired) == (2, 1)
    assert (report.other, report.other_fired) == (1, 1)
    assert (report.open, report.open_fired) == (1, 1)
    assert (report.healthy, report.healthy_fired) == (3, 0)
    assert [(d.fired, d.cause) for d in report.disagreements] == [
        (True, "strategy.lr-surge"),
        (False, EXPLODING),
    ]


def test_a_running_or_faulty_run_gives_no_healthy_window(library: CaseLibrary, tmp_path: Path) -> None:
    """Only what has ended, and ended well, says what healthy looks like."""
    running = run_directory(tmp_path / "a", manifest("a", state="running"), lambda step: 1 + 1 / (step + 1))
    jumped = run_directory(
        tmp_path / "b", manifest("b", state="finished"), lambda step: 1.0 + 4 * (step > 1000)
    )
    for run in (RunEvidence.load(running), RunEvidence.load(jumped)):
        keep(library, run, diagnose(run))
    assert list(kept(library)) == []


def test_what_a_rule_cannot_judge_is_no_disagreement(base: RuleBase, rule: RuleDocument) -> None:
    """An incident without the fact is counted apart; one that a veto or another fact decides is silent."""
    resting = from_yaml(
        RULE.replace("norm-far-up", "resting")
        + "  - {fact: symptom.bad-update, ge: 0.5}\nunless: [{fact: batch.normal, eq: false}]\n",
        RuleDocument,
    )
    facts = [
        {"lr.jump": 5.0},
        {"grad.norm_ratio": 3.0},
        {"grad.norm_ratio": 99.0, "batch.normal": False},
        {"grad.norm_ratio": 99.0, "update.lead": 0.0, "update.norm_ratio": 1.0},
        {"grad.norm_ratio": 99.0},
    ]
    replayed = [Replayed(f"i{n}", "incident", "spike", known, EXPLODING) for n, known in enumerate(facts)]
    report = backtest(resting, base, replayed)
    assert (report.own, report.own_fired, report.own_unknown) == (5, 0, 2)
    assert [each.id for each in report.disagreements] == ["i1", "i2", "i3"]
    assert (backtest(rule, base, replayed).own_fired, backtest(rule, base, replayed).own_unknown) == (3, 1)


def test_processes_say_the_same_as_this_one(base: RuleBase, rule: RuleDocument) -> None:
    """However the work is spread, every record is judged once and alike, and progress is told."""
    seen: list[int] = []
    many = made(6000)
    alone = backtest(rule, base, many, workers=1)
    spread = backtest(rule, base, many, workers=2, progress=seen.append)
    assert (spread.own, spread.own_fired) == (alone.own, alone.own_fired) == (6000, 3000)
    assert spread.disagreements == alone.disagreements
    assert seen == sorted(seen)
    assert seen[-1] == 6000


def test_it_can_be_stopped(base: RuleBase, rule: RuleDocument) -> None:
    """What was done until then is reported."""

    def stop(done: int) -> None:
        if done >= 1000:
            raise Cancelled

    report = backtest(rule, base, made(3000), workers=1, progress=stop)
    assert report.cancelled
    assert report.records == 1000


def test_symptoms_that_a_rule_builds_on_are_judged_with_it(base: RuleBase) -> None:
    """A rule that rests on a symptom is replayed with the rules that conclude it."""
    needed = {rule.id for rule in needed_rules(base.rules["labels-by-elimination"], base)}
    assert {"labels-by-elimination", "loss-before-update"} <= needed
    assert len(needed) < len(base.rules)


def test_values_that_json_cannot_hold_are_numbers_again(
    library: CaseLibrary, base: RuleBase, rule: RuleDocument
) -> None:
    """An infinite ratio is kept as a word and compared as infinity."""
    library.resolve(library.open_incident(diagnosis(ratio=math.inf), manifest()), EXPLODING)
    assert backtest(rule, base, records(library)).own_fired == 1


def test_a_dask_cluster_judges_alike(base: RuleBase, rule: RuleDocument) -> None:
    """Two real workers behind a scheduler give what this process gives."""
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        report = backtest(rule, base, made(1500), cluster=cluster.scheduler_address)
    assert (report.own, report.own_fired) == (1500, 750)


def test_a_cluster_that_does_not_answer_is_named(
    base: RuleBase, rule: RuleDocument, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address and what is valid stand in the error, whether Dask is missing or nobody answers."""
    monkeypatch.setattr(judging, "_PATIENCE", 0.5)
    with pytest.raises(CaseError, match=r"tcp://127\.0\.0\.1:9|pip install"):
        backtest(rule, base, made(10), cluster="tcp://127.0.0.1:9")
