"""AlgoPerf training-algorithms benchmark: measurements.csv."""

from __future__ import annotations

from collections.abc import Mapping

from ..figures import number
from ..names import guess
from ..plan import pick_loss
from ..sink import Sink
from ..source import Sample, Source
from ..tables import CsvFormat, iterate, layout_of

_ENOUGH = 10


class AlgoPerfCsv(CsvFormat):
    """AlgoPerf ``measurements.csv``, losses of batches and evaluations on rows of their own.

    Recognised by ``global_step`` beside ``accumulated_submission_time`` or ``preemption_count``. The loss is
    that of the batches (``loss``), kept apart from the evaluated ``train/loss``; where batches were logged
    only at the start, the evaluated one is the curve.
    """

    name = "algoperf-csv"
    weight = 0.95
    example = (
        "global_step,grad_norm,loss,train/loss,validation/loss,accumulated_submission_time,preemption_count\n"
        "0,0.68,6.92,,,,\n1,,,6.91,6.91,58.6,0.0\n100,0.66,6.82,,,,\n200,0.8,6.5,,,,\n"
    )

    def fits(self, columns: frozenset[str]) -> bool:
        """Tell by the counters that only this harness writes."""
        return "global_step" in columns and bool(
            columns & {"accumulated_submission_time", "preemption_count", "accumulated_eval_time"}
        )

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read the table, with the curve that covers the run as the loss."""
        if "loss" not in mapping:
            evaluated = _better_than_batches(source)
            if evaluated:
                mapping = {**mapping, "loss": evaluated}
        super().read(source, sink, mapping)


def _better_than_batches(source: Source) -> str:
    """Return the evaluated training loss where the batches' own loss ends long before the run; else empty."""
    layout = layout_of(Sample(source.path, source.label))
    if layout is None or "loss" not in layout.columns:
        return ""
    found = {column: guess(column) for column in layout.columns}
    evaluated = pick_loss({c: g for c, g in found.items() if g.kind == "loss" and g.split == "train"})
    if len(evaluated) != 1:
        return ""
    batch_at, train_at = layout.columns.index("loss"), layout.columns.index(evaluated[0])
    later = 0
    for cells in iterate(layout, Source(source.path).lines()):
        if len(cells) > batch_at and number(cells[batch_at]) is not None:
            later = 0
        elif len(cells) > train_at and number(cells[train_at]) is not None:
            later += 1
    return evaluated[0] if later >= _ENOUGH else ""


IMPORTERS = (AlgoPerfCsv(),)
