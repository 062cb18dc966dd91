"""Keeps what healthy runs looked like to rules, so that a new rule can be held against them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..rules.diagnosis import Diagnosis, FactValue
from ..rules.explain import publishable
from . import tables
from .fingerprint import revived

if TYPE_CHECKING:
    from ..probes.evidence.reader import RunEvidence
    from .library import CaseLibrary

_PAGE = 1000


def keep(library: CaseLibrary, run: RunEvidence, diagnosis: Diagnosis) -> None:
    """Keep the windows of a run that ended healthy; those that are there already stay as they are.

    Raises:
        CaseError: the library cannot be written.
    """
    if diagnosis.verdict != "healthy" or run.directory.manifest().state == "running":
        return
    from ..rules.diagnosing import find
    from ..rules.healthy import windows

    rows = [
        {
            "run": run.manifest.id,
            "step": step,
            "facts": json.dumps({name: publishable(fact.value) for name, fact in facts.items()}),
            "project": run.manifest.project,
            "created": time.time(),
        }
        for step, facts in windows(run, find(run))
    ]
    if not rows:
        return
    statement = library.store.insert(tables.HealthyWindow).on_conflict_do_nothing()
    with library.database.session() as session:
        session.connection().execute(statement, rows)


def kept(library: CaseLibrary) -> Iterator[tuple[str, dict[str, FactValue]]]:
    """Yield every healthy window, as its run and step, with its facts.

    Raises:
        CaseError: the library cannot be read.
    """
    after = -1
    while True:
        with library.database.reader() as reader:
            sql = "SELECT key, run, step, facts FROM healthy_window WHERE key > ? ORDER BY key LIMIT ?"
            rows = reader.rows(sql, [after, _PAGE])
        for _, run, step, facts in rows:
            yield f"{run} step {step}", revived(json.loads(facts))
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]
