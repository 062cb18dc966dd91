"""Facts from the curves that a rule's test gives, computed as those of a real run."""

from __future__ import annotations

from collections.abc import Mapping

from ..probes.evidence import Eval, RunManifest, Step
from ..probes.evidence.reader import RankEvidence, RunEvidence
from .diagnosing import facts_of, find, verdict_key
from .documents.series import parse
from .facts.registry import FactSet

_VALIDATION = "val."


def facts_from(series: Mapping[str, str]) -> tuple[FactSet, str]:
    """Return the facts of curves in shorthand, and the detector's finding as rules name it.

    A curve whose name begins with ``val.`` is spread evenly over the steps of the longest other one, its
    last value at the last step.

    Raises:
        ValueError: a curve is not understood.
    """
    curves = {name: parse(text) for name, text in series.items()}
    training = [values for name, values in curves.items() if not name.startswith(_VALIDATION)]
    steps = max(map(len, training), default=0)
    rank = RankEvidence(0, steps=[Step(index, v={}) for index in range(steps)])
    for name, values in curves.items():
        if name.startswith(_VALIDATION):
            _spread(rank, name, values, steps)
        else:
            for record, value in zip(rank.steps, values, strict=False):
                if value is not None:
                    record.v[name] = value
    rank.evals.sort(key=lambda record: record.step)
    run = RunEvidence.in_memory(RunManifest("test", 0.0, state="finished"), [rank])
    finding = find(run)
    return facts_of(run, finding), verdict_key(finding)


def _spread(rank: RankEvidence, name: str, values: list[float | None], steps: int) -> None:
    for index, value in enumerate(values):
        if value is not None:
            rank.evals.append(Eval(max(steps * (index + 1) // len(values) - 1, 0), v={name: value}))
