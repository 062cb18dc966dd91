"""Records for a backtest from run directories that no library holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..probes.evidence import EvidenceError, RunDirectory
from ..probes.evidence.reader import RunEvidence
from ..rules.diagnosing import facts_of, find, verdict_key
from ..rules.healthy import windows
from .judging import Replayed
from .values import Filters

if TYPE_CHECKING:
    from .library import CaseLibrary


def folder_records(folder: Path, library: CaseLibrary) -> Iterator[Replayed]:
    """Yield the spike, or the healthy windows, of every run directory in a folder and below it.

    What a run's incident was confirmed to be is asked of the library. A run that cannot be read is left out.

    Raises:
        CaseError: the library cannot be read.
    """
    for manifest in sorted(folder.rglob("run.json")):
        try:
            run = RunEvidence.load(RunDirectory.open(manifest.parent))
            yield from _of_run(run, library)
        except EvidenceError:
            continue


def _of_run(run: RunEvidence, library: CaseLibrary) -> Iterator[Replayed]:
    finding = find(run)
    name = run.manifest.id
    if finding.verdict == "healthy":
        for step, facts in windows(run, finding):
            yield Replayed(f"{name} step {step}", "healthy", "spike", facts.values_by_name())
        return
    if finding.has_spike:
        incidents = library.list(Filters(run=name), 1)
        cause = library.get(incidents[0].id).confirmed if incidents else ""
        yield Replayed(name, "incident", verdict_key(finding), facts_of(run, finding).values_by_name(), cause)
