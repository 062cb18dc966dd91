"""The facts that conditions of rules can name, with the values that a run has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .console import emit_json, print_table
from .language import current, tr

if TYPE_CHECKING:
    from ..rules.facts.registry import FactSet


def show(run: str | None, *, as_json: bool) -> None:
    """Print every fact, or those known of a run.

    Raises:
        UserError: there is no such run.
        LogError: it is a log that no importer reads.
    """
    from ..rules.engine.condition import show as shown
    from ..rules.explain import publishable
    from ..rules.facts.registry import specs

    known = None if run is None else _of(run)
    named = [spec for spec in specs().values() if known is None or spec.name in known]
    if as_json:
        emit_json(
            [
                {
                    "fact": spec.name,
                    "type": spec.kind,
                    "unit": spec.unit,
                    "low": spec.low,
                    "high": spec.high,
                    "choices": spec.choices,
                    "value": None if known is None else publishable(known[spec.name].value),
                    "meaning": spec.explain(current()),
                }
                for spec in named
            ]
        )
        return
    if known is None:
        heads = ["FACT", "TYPE", "UNIT", "MEANING"]
        rows = [[spec.name, spec.kind, spec.unit, spec.explain(current())] for spec in named]
    else:
        heads = ["FACT", "VALUE", "UNIT", "MEANING"]
        rows = [[s.name, shown(known[s.name].value), s.unit, s.explain(current())] for s in named]
    print_table(heads, rows, tr("Nothing is known of this run."))


def _of(run: str) -> FactSet:
    from ..probes.evidence.reader import RunEvidence
    from ..rules.diagnosing import facts_of, find
    from .sources import run_or_log

    evidence = RunEvidence.load(run_or_log(run))
    return facts_of(evidence, find(evidence))
