"""ClearML: the metrics of an offline session."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ..figures import number
from ..sink import Sink
from ..source import Sample, Source
from ..tagged import Series, feed_series

_KIND = "training_stats_scalar"


class ClearmlOffline:
    """ClearML offline session, its ``metrics.jsonl``.

    Recognised by ``training_stats_scalar`` events, a list of them a line. A series is named by title and
    variant (``loss/train``). What lies on a ClearML server is exported as CSV there and read as such.
    """

    name: ClassVar[str] = "clearml-offline"
    example: ClassVar[str] = (
        '[{"timestamp": 1700000000000, "type": "training_stats_scalar", "iter": 0, "metric": "loss",'
        ' "variant": "train", "value": 2.5}, {"timestamp": 1700000001000, "type": "training_stats_scalar",'
        ' "iter": 1, "metric": "loss", "variant": "train", "value": 2.4}]\n'
    )

    def sniff(self, sample: Sample) -> float:
        """Tell by the kind of the first events."""
        head = sample.head.lstrip()
        return 0.95 if head.startswith(b"[{") and f'"{_KIND}"'.encode() in head[:4096] else 0.0

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read the events into a sink."""
        series: dict[str, Series] = {}
        for event in _events(source, sink):
            step, value, time = (number(str(event.get(key))) for key in ("iter", "value", "timestamp"))
            if step is None or value is None or time is None or abs(step) > 2**53:
                sink.unread(f"line {source.line}", str(event)[:200])
                continue
            name = "/".join(str(event.get(key) or "") for key in ("metric", "variant")).strip("/")
            series.setdefault(name, Series()).add(int(step), value, time / 1e3)
        feed_series(series, sink, mapping)


def _events(file: Source, sink: Sink) -> Iterator[dict[str, Any]]:
    for line in file.lines():
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            sink.unread(f"line {file.line}", line[:200])
            continue
        for event in found if isinstance(found, list) else [found]:
            if not isinstance(event, dict):
                sink.unread(f"line {file.line}", str(event)[:200])
            elif event.get("type") == _KIND:
                yield event


IMPORTERS = (ClearmlOffline(),)
