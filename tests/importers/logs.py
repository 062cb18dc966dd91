"""Small logs written by the tests, and what an import makes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikelore.probes.evidence.reader import RankEvidence, RunEvidence
from spikelore.probes.importers import ImportResult, import_log


@dataclass
class Imported:
    """A log after its import."""

    result: ImportResult
    run: RunEvidence

    @property
    def evidence(self) -> RankEvidence:
        return self.run.primary

    def points(self, name: str = "loss", kind: str = "step") -> list[tuple[int, float]]:
        series = self.evidence.series(name, kind)
        return list(zip(series.step.tolist(), series.value.tolist(), strict=True))

    @property
    def losses(self) -> list[float]:
        return [value for _, value in self.points()]

    @property
    def validation(self) -> list[tuple[int, float]]:
        return self.points("val.loss", "eval")


def read(
    folder: Path, content: str | bytes, name: str = "train.log", mapping: Mapping[str, str] | None = None
) -> Imported:
    """Write a log and import it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_path(path, folder, mapping)


def read_path(path: Path, folder: Path, mapping: Mapping[str, str] | None = None) -> Imported:
    """Import what lies at a path."""
    count = len(list(folder.glob("run-*")))
    result = import_log(path, folder / f"run-{count}", mapping)
    return Imported(result, RunEvidence.load(result.directory))


def same(found: list[float], wanted: list[float]) -> bool:
    """Compare numbers, NaN being equal to NaN."""
    return len(found) == len(wanted) and all(
        (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
        for a, b in zip(found, wanted, strict=True)
    )
