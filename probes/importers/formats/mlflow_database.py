"""MLflow: the SQLite database that it tracks to by default since version 3."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar

from ..sink import Sink
from ..source import LogError, Sample, Source
from ..tagged import Series, feed_series

_MAGIC = b"SQLite format 3\x00"
_NEEDED = {
    "metrics": {"key", "value", "timestamp", "run_uuid", "step", "is_nan"},
    "runs": {"run_uuid", "name", "start_time", "lifecycle_stage"},
}
_INFINITE = 1.7e308
"""What MLflow stores for an infinite value, as its databases know none."""
_RUNS = """
    SELECT run_uuid FROM runs WHERE lifecycle_stage = 'active'
    AND EXISTS (SELECT 1 FROM metrics WHERE metrics.run_uuid = runs.run_uuid)
    ORDER BY start_time DESC, run_uuid
"""
_POINTS = (
    "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? ORDER BY timestamp, step"
)


class MlflowDatabase:
    """MLflow database of SQLite, ``mlflow.db``; one run of it is ``mlflow.db/RUN``.

    Recognised by its tables of runs and metrics. Every run that is not deleted is imported. Metrics are
    named by their key; the parameters become settings. A database on a server is not read.
    """

    name: ClassVar[str] = "mlflow-db"
    example: ClassVar[str] = ""

    def sniff(self, sample: Sample) -> float:
        """Tell by the tables."""
        if not sample.head.startswith(_MAGIC) or sample.source.compression:
            return 0.0
        try:
            with _database(sample.path) as database:
                return 0.95 if _is_tracking(database) else 0.0
        except LogError:
            return 0.0

    def runs(self, path: Path) -> list[str]:
        """Return the runs with metrics, the last one started first; none of anything else."""
        with path.open("rb") as stream:
            if stream.read(len(_MAGIC)) != _MAGIC:
                return []
        try:
            with _database(path) as database:
                return _runs(database) if _is_tracking(database) else []
        except LogError:
            return []

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read one run into a sink: the one named, else the last one started."""
        with _database(source.path) as database:
            known = _runs(database)
            run = source.run or next(iter(known), "")
            if run not in known:
                raise LogError(f"{source.label}: no run {run!r}; there are {', '.join(known[:6]) or 'none'}")
            for key, value in database.execute("SELECT key, value FROM params WHERE run_uuid = ?", (run,)):
                sink.setting(str(key), str(value)[:4096])
            series: dict[str, Series] = {}
            for key, value, time, step, is_nan in database.execute(_POINTS, (run,)):
                try:
                    series.setdefault(str(key), Series()).add(
                        int(step), _value(value, is_nan), float(time) / 1e3
                    )
                except (TypeError, ValueError, OverflowError):
                    sink.unread(f"{key}, step {step}", f"{value!r}")
        feed_series(series, sink, mapping)


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database to be read only; what it holds is data of others.

    Raises:
        LogError: it is damaged, or locked for long.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            yield database
    except sqlite3.Error as error:
        raise LogError(f"{path}: the database cannot be read ({error})") from error


def _runs(database: sqlite3.Connection) -> list[str]:
    return [str(run) for (run,) in database.execute(_RUNS)]


def _is_tracking(database: sqlite3.Connection) -> bool:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    # Tables only: a view of that name could be anything.
    return {*_NEEDED, "params"} <= tables and all(
        columns <= {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        for table, columns in _NEEDED.items()
    )


def _value(value: float, is_nan: bool) -> float:
    if is_nan:
        return math.nan
    return math.copysign(math.inf, value) if abs(value) > _INFINITE else float(value)


IMPORTERS = (MlflowDatabase(),)
