"""Answers recorded from real training jobs, and what becomes of them when evidence is missing.

The file is written by ``bench/accuracy.py --record``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from spikelore.rules.explain import Conclusion, rank
from spikelore.rules.facts.registry import Fact, FactSet
from spikelore.rules.rulebase import RuleBase
from spikelore.rules.rulebase.folders import LIBRARY, Source

ANSWERS = Path(__file__).parents[2] / "bench" / "gym" / "answers.jsonl"
STILL_WRONG = {
    "data.abnormal-features/clinic": {"sensor batch"},
    "data.class-drift/events": {"sensor labels"},
    "data.loading-error/rotated-logs": {"sensor batch"},
    "data.repeated-data/copies": {"label.normal", "sensor labels"},
    "data.repeated-data/retries": {"batch.repeat_before", "batch.repeat_share", "sensor hashes"},
    "data.unshuffled-order/sources": {"label.kept", "label.permuted", "sensor outputs"},
    "data.vocabulary-mismatch/set-order": {"sensor labels"},
    "environment.parameters-overwritten/teacher": {"sensor updates"},
    "model.batchnorm-corruption/recalibrated": {"sensor batchnorm"},
    "numerics.nan-gradient/masked-rows": {"grad.nonfinite_first"},
    "strategy.optimizer-misconfigured/momentum": {"optimizer.changed", "sensor optimizer"},
    "strategy.train-mode-off/cnn": {"sensor modal-modules"},
}
"""What is known not to hold yet, by job: without this evidence the answer is wrong and too sure."""
RECORDED = [json.loads(line) for line in ANSWERS.read_text().splitlines()]


@pytest.fixture(scope="module")
def library() -> RuleBase:
    return RuleBase.load(sources=[Source(LIBRARY, team=False)])


def facts_of(given: dict[str, Any]) -> FactSet:
    return FactSet(
        Fact(name, value["value"], None, value["certainty"]) if isinstance(value, dict) else Fact(name, value)
        for name, value in given.items()
    )


def first_root(base: RuleBase, facts: FactSet, verdict: str) -> Conclusion | None:
    ranked = rank(base.evaluate(facts, verdict), base)
    return next((conclusion for conclusion in ranked if not conclusion.contributing), None)


def weaker(answer: dict[str, Any]) -> Iterator[tuple[str, str, FactSet]]:
    """Yield what is missing, the verdict then, and the facts left."""
    whole = answer["facts"]
    for name in whole:
        yield name, answer["verdict"], facts_of(whole).without([name])
    for sensor, change in answer["without"].items():
        left = {name: value for name, value in whole.items() if name not in change["gone"]}
        yield f"sensor {sensor}", change["verdict"], facts_of(left | change["changed"])


@pytest.mark.parametrize("answer", RECORDED, ids=lambda answer: str(answer["job"]))
def test_missing_evidence_never_makes_a_right_answer_wrong(library: RuleBase, answer: dict[str, Any]) -> None:
    """Without any one fact or sensor the answer stays, or becomes less certain than 0.5."""
    first = first_root(library, facts_of(answer["facts"]), answer["verdict"])
    assert first is not None
    assert first.id in answer["causes"]
    wrong = []
    for missing, verdict, facts in weaker(answer):
        other = first_root(library, facts, verdict)
        bad = other is not None and other.id not in answer["causes"] and other.certainty > 0.5
        if bad and missing not in STILL_WRONG.get(answer["job"], ()):
            wrong.append((missing, other))
    assert wrong == []
