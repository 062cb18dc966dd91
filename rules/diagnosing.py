"""From a run, or from facts alone, to a diagnosis."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .diagnosis import Cause, Diagnosis, Level, Moved, Spike
from .explain import Conclusion, because, needed, publishable, rank, remedies, why_not
from .explain.wording import Lang, moves, say
from .rulebase import RuleBase, shared_store

if TYPE_CHECKING:
    from ..probes.evidence.reader import RunEvidence
    from .detector import Change, Finding
    from .engine import Outcome
    from .facts.registry import FactSet

CONFIDENT = 0.5
"""Certainty of the best root cause below which the evidence does not decide."""
SURE = 0.75
"""Certainty of a root cause from which on it is named for a spike that came back by itself."""
LOOK_BACK = 5_000
"""Steps before the onset in which precursors are looked for."""
LONG = 30
"""Records from which on a spike that came back is worth a cause."""
_TRANSIENT = "pattern.transient-spike"
_SLOW = "pattern.slow-divergence"
_OVERTURNS = ("spike", "healthy")
"""Verdicts that a pattern concluded by rules replaces, unless the rule names others."""


def diagnose(run: RunEvidence, lang: Lang = "en", rulebase: RuleBase | None = None) -> Diagnosis:
    """Return what happened in a run and why, from all evidence in memory.

    Args:
        run: its evidence.
        lang: language of all texts.
        rulebase: instead of the shipped rules with those of the team.

    Raises:
        EngineUnavailableError: the rules engine does not load in this Python.
    """
    finding = find(run)
    diagnosis = conclude(facts_of(run, finding), finding, rulebase, lang, run=run.manifest.id)
    if diagnosis.spike is not None:
        _locate(diagnosis.spike, run)
        diagnosis.precursors = list(_moved(run, diagnosis.spike, lang))
    diagnosis.warnings = [*_warnings(run, lang), *diagnosis.warnings]
    return diagnosis


def _moved(run: RunEvidence, spike: Spike, lang: Lang) -> Iterator[Moved]:
    """Yield what had left its level before the loss did; what lies far back is another story."""
    from .detector.early import precursors

    if spike.step is None:
        return
    steps = run.primary.steps
    end = bisect_left(steps, spike.step, key=lambda record: record.step)
    recent = ((record.step, record.v) for record in steps[max(0, end - LOOK_BACK) : end])
    for found in precursors(recent, spike.step):
        yield Moved(
            found.quantity,
            found.step,
            spike.step - found.step,
            found.before,
            found.value,
            moves("moved", lang, found, lead=str(spike.step - found.step)),
        )


def find(run: RunEvidence) -> Finding:
    """Return what the detector sees in a run's curves."""
    from .detector import Curve, assess

    def curve(name: str, kind: str = "step") -> Curve:
        return Curve.from_series(run.primary.series(name, kind))

    return assess(curve("loss"), curve("val.loss", "eval"), curve("lr"), curve("grad.norm"))


def facts_of(run: RunEvidence, finding: Finding) -> FactSet:
    """Return what rules see of a run, round the step where its loss jumped or began to rise."""
    from .facts.extract import extract

    risen = finding.has_spike or finding.pattern == _SLOW
    return extract(run, finding, finding.onset.step if finding.onset and risen else None)


def conclude(
    facts: FactSet,
    finding: Finding,
    rulebase: RuleBase | None = None,
    lang: Lang = "en",
    *,
    run: str = "",
) -> Diagnosis:
    """Return the diagnosis that follows from facts and the detector's finding.

    Raises:
        EngineUnavailableError: the rules engine does not load in this Python.
    """
    base = rulebase or shared_store().current()
    verdict = verdict_key(finding)
    outcome = base.evaluate(facts, verdict)
    diagnosis = Diagnosis(
        run=run,
        verdict=finding.verdict,
        pattern=finding.pattern,
        spike=_spike(finding),
        reason=finding.reason_in(lang),
        facts={name: publishable(fact.value) for name, fact in facts.items()},
        lang=lang,
    )
    pattern = _pattern(outcome, base, verdict)
    if pattern is not None:
        diagnosis.verdict, diagnosis.pattern = "pattern", pattern
        diagnosis.reason = _pattern_reason(outcome, base, pattern, lang)
        verdict = pattern
        outcome = base.evaluate(facts, verdict)
    _fill(diagnosis, outcome, base, verdict)
    broken = sum(problem.severity == "error" for problem in base.problems)
    if broken:
        diagnosis.warnings.append(say("broken_rules", lang, count=str(broken)))
    return diagnosis


def _fill(diagnosis: Diagnosis, outcome: Outcome, base: RuleBase, verdict: str) -> None:
    """Put the causes, the other causes and what would decide into a diagnosis."""
    lang: Lang = diagnosis.lang
    ranked = rank(outcome, base)
    if diagnosis.pattern == _TRANSIENT and not any(c.certainty >= SURE for c in ranked if not c.contributing):
        ranked = []
    diagnosis.causes = [_cause(conclusion, outcome, base, lang) for conclusion in ranked]
    if verdict != "spike":
        return
    diagnosis.ruled_out = why_not(outcome, base, verdict, lang)
    best = ranked[0] if ranked and not ranked[0].contributing else None
    if best is None or best.certainty < CONFIDENT:
        diagnosis.needed = needed(outcome, base, lang)
    elif best.tied:
        diagnosis.needed = needed(outcome, base, lang, among=[best.id, *best.tied])


def _cause(conclusion: Conclusion, outcome: Outcome, base: RuleBase, lang: Lang) -> Cause:
    document = base.causes[conclusion.id]
    return Cause(
        id=conclusion.id,
        certainty=round(conclusion.certainty, 4),
        role="contributing" if conclusion.contributing else "root",
        rules=[firing.rule for firing in conclusion.firings],
        because=because(conclusion.firings, outcome, base, lang),
        fixes=remedies(conclusion.id, outcome.facts.values_by_name(), base, lang),
        title=document.title.pick(lang),
        summary=document.summary.pick(lang),
        tied=conclusion.tied,
    )


def verdict_key(finding: Finding) -> str:
    """Return the finding as rules name it.

    A loss that is not finite is a spike, and so is one that was up for long before it came back by itself:
    one hard batch passes within a few records and needs no cause.
    """
    if finding.pattern == _TRANSIENT and finding.records >= LONG:
        return "spike"
    return finding.verdict if finding.verdict != "pattern" else finding.pattern or "pattern"


def _pattern(outcome: Outcome, base: RuleBase, verdict: str) -> str | None:
    """Return the pattern that rules are sure of and no cause outdoes."""
    rules = (base.rules[firing.rule] for firing in outcome.firings.values())
    drawn = {rule.pattern for rule in rules if verdict in (rule.verdicts or _OVERTURNS)}
    patterns = {name: outcome.certainty(name) for name in drawn if name is not None}
    causes = {f.conclusion for f in outcome.firings.values() if f.conclusion.startswith("cause.")}
    strongest = max((outcome.certainty(name) for name in causes), default=0.0)
    best = max(patterns, key=lambda name: (patterns[name], name), default=None)
    return best if best is not None and patterns[best] >= max(CONFIDENT, strongest) else None


def _pattern_reason(outcome: Outcome, base: RuleBase, pattern: str, lang: Lang) -> str:
    firings = [f for f in outcome.firings.values() if f.conclusion == pattern]
    return base.rules[max(firings, key=lambda f: f.certainty).rule].summary.pick(lang) if firings else ""


def _spike(finding: Finding) -> Spike | None:
    if not finding.has_spike or finding.onset is None:
        return None
    onset = finding.onset
    return Spike(
        step=onset.step,
        epoch=onset.epoch,
        batch=onset.batch,
        train=_level(finding.train),
        val=_level(finding.val),
        recovered=finding.recovered,
        nonfinite=finding.nonfinite,
    )


def _level(change: Change | None) -> Level | None:
    if change is None:
        return None
    return Level(*map(_published, (change.before, change.after, change.ratio)))


def _published(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def _locate(spike: Spike, run: RunEvidence) -> None:
    """Fill in the epoch and batch that the step's own record names."""
    record = next((record for record in run.primary.steps if record.step == spike.step), None)
    if record is not None:
        spike.epoch = record.epoch if spike.epoch is None else spike.epoch
        spike.batch = record.batch if spike.batch is None else spike.batch


def _warnings(run: RunEvidence, lang: Lang) -> Iterator[str]:
    """Yield what the recording could not see or lost, in plain sentences."""
    yield from run.manifest.notes
    for rank_evidence in run.ranks.values():
        for event in rank_evidence.events_named("probe.disabled"):
            sensor, error = (str(event.data.get(key, "?")) for key in ("sensor", "error"))
            yield say("sensor_off", lang, sensor=sensor, step=str(event.step), error=error)
        for event in rank_evidence.events_named("evidence.lost"):
            count, reason = (str(event.data.get(key, "?")) for key in ("count", "reason"))
            yield say("evidence_lost", lang, count=count, reason=reason)
        if rank_evidence.damaged:
            yield say("damaged", lang, count=str(rank_evidence.damaged), rank=str(rank_evidence.rank))
