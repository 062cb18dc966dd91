"""Incidents side by side as rows of text: what they were, what helped, and their facts."""

from __future__ import annotations

from collections.abc import Sequence

from ...casebase.values import Case
from ...rules.diagnosis import Diagnosis, Similar
from .. import clock
from ..language import tr
from ..numbers import number, percent, when

UNLIKE = "≠ "
"""Stands before a fact that is not like this incident's."""


def rows(diagnosis: Diagnosis, cases: Sequence[Case]) -> dict[str, list[str]]:
    """Return row name -> its text for this incident and for each past one."""
    likeness = {past.incident: past for past in diagnosis.similar}
    found = {
        tr("match"): ["", *(percent(likeness[case.id].score) for case in cases)],
        tr("cause"): [_suspect(diagnosis), *(case.cause or tr("unknown") for case in cases)],
        tr("loss"): [_change(*_levels(diagnosis)), *(_loss(case) for case in cases)],
        tr("fix"): ["", *(_tried(case) for case in cases)],
        tr("note"): ["", *("; ".join(note.text for note in case.notes) for case in cases)],
        tr("when"): ["", *(_ending(case) for case in cases)],
    }
    return found | _facts(diagnosis, cases, likeness)


def worked(case: Case) -> str:
    """Return what was done where a fix worked, empty where none did."""
    return next((fix.text or fix.fix for fix in case.fixes if fix.outcome == "worked"), "")


def _suspect(diagnosis: Diagnosis) -> str:
    first = next(iter(diagnosis.causes), None)
    return f"{first.id} {percent(first.certainty)}" if first else ""


def _levels(diagnosis: Diagnosis) -> tuple[float | str | None, float | str | None]:
    train = diagnosis.spike.train if diagnosis.spike else None
    return (train.before, train.after) if train else (None, None)


def _change(before: float | str | None, after: float | str | None) -> str:
    return "" if before is None and after is None else f"{number(before, 3)} → {number(after, 3)}"


def _loss(case: Case) -> str:
    return _change(case.train_before, case.train_after)


def _tried(case: Case) -> str:
    if not case.fixes:
        return tr("no fix recorded")
    return "; ".join(f"{tr(fix.outcome)}: {fix.text or fix.fix}" for fix in case.fixes)


def _ending(case: Case) -> str:
    by = tr("resolved by {name}", name=case.resolved_by) if case.resolved_by else tr(case.state)
    return f"{when(case.created, clock.now())}, {by}"


def _facts(diagnosis: Diagnosis, cases: Sequence[Case], likeness: dict[str, Similar]) -> dict[str, list[str]]:
    """Return the facts of the causes of this incident first, then what else the past ones agree on."""
    spoken = {fact.fact: fact.value for cause in diagnosis.causes for fact in cause.because}
    own = {**diagnosis.facts, **spoken}
    compared = [name for past in likeness.values() for name in (*past.agree, *past.differ)]
    found = {}
    for name in dict.fromkeys([*spoken, *compared]):
        values = [_fact(case, name, likeness[case.id]) for case in cases]
        if any(values):
            found[name] = [number(own[name]) if name in own else "", *values]
    return found


def _fact(case: Case, name: str, past: Similar) -> str:
    if name not in case.facts:
        return UNLIKE + tr("not known") if name in past.differ else ""
    return (UNLIKE if name in past.differ else "") + number(case.facts[name])
