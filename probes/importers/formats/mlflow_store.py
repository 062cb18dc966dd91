"""MLflow: a run's folder in the file store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from ..figures import number, whole_step
from ..sink import Sink
from ..source import Sample, Source
from ..tagged import Series, feed_series


class MlflowStore:
    """MLflow file store, ``mlruns/EXPERIMENT/RUN`` or its ``metrics`` folder.

    Recognised by a ``metrics`` folder whose files hold ``timestamp value step`` lines. Metrics are named by
    their file; ``params`` become settings.
    """

    name: ClassVar[str] = "mlflow"
    example: ClassVar[str] = ""

    def sniff(self, sample: Sample) -> float:
        """Tell by the first line of any metric."""
        if sample.path.is_dir():
            return 0.9 if any(_is_metric(path) for path in _metric_files(sample.path)[:4]) else 0.0
        return 0.5 if _is_metric(sample.path) and sample.path.parent.name == "metrics" else 0.0

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read the metrics of a run's folder into a sink."""
        if source.path.is_dir():
            root = source.path if source.path.name == "metrics" else source.path / "metrics"
            files = _metric_files(source.path)
        else:
            root, files = source.path.parent, [source.path]
        series: dict[str, Series] = {}
        for path in files:
            name = str(path.relative_to(root)).replace("\\", "/")
            series[name] = _read_metric(path, sink)
        for path in sorted((root.parent / "params").rglob("*")):
            if path.is_file() and path.stat().st_size < 4096:
                sink.setting(path.name, path.read_text(encoding="utf-8", errors="replace").strip())
        feed_series(series, sink, mapping)


def _metric_files(folder: Path) -> list[Path]:
    root = folder if folder.name == "metrics" else folder / "metrics"
    return sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else []


def _is_metric(path: Path) -> bool:
    if path.is_dir():
        return False
    with path.open("rb") as stream:
        parts = stream.readline(200).split()
    return (
        len(parts) == 3
        and parts[0].isdigit()
        and len(parts[0]) >= 10
        and whole_step(parts[2].decode("latin-1")) is not None
    )


def _read_metric(path: Path, sink: Sink) -> Series:
    series = Series()
    source = Source(path)
    for line in source.lines():
        parts = line.split()
        if not parts:
            continue
        time = number(parts[0])
        value = number(parts[1]) if len(parts) == 3 else None
        step = whole_step(parts[2]) if len(parts) == 3 else None
        if time is None or value is None or step is None:
            sink.unread(f"{path.name}, line {source.line}", line)
        else:
            series.add(step, value, time / 1e3 if time > 1e12 else time)
    return series


IMPORTERS = (MlflowStore(),)
