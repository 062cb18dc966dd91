"""Replays a rule against everything that is on record: would it have fired, and was that right?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from ..rules.documents import RuleDocument
from ..rules.engine import Engine, Rule
from ..rules.rulebase import RuleBase
from .fingerprint import revived
from .healthy import kept
from .judging import Answer, Kind, Replayed, judged

if TYPE_CHECKING:
    from .library import CaseLibrary

Progress: TypeAlias = Callable[[int], None]

_PAGE = 1000
MOST_NAMED = 200
"""Disagreements that a report names; all are counted."""


class Disagreement(msgspec.Struct, frozen=True):
    """A record on which rule and record do not say the same."""

    id: str
    kind: Kind
    fired: bool
    cause: str
    """Confirmed cause of the record."""


class BacktestReport(msgspec.Struct):
    """What a rule would have done.

    Attributes:
        own, own_fired: incidents with the rule's own cause confirmed, and on how many of them it fired.
        other, other_fired: the same for incidents of another confirmed cause.
        open, open_fired: the same for incidents whose cause nobody confirmed.
        healthy, healthy_fired: the same for windows of healthy runs.
        own_unknown, other_unknown, open_unknown, healthy_unknown: how many of each it could not judge,
            because facts that it asks for are not on record; they are no disagreements.
        disagreements: up to 200 of them, false alarms before misses.
        cancelled: it was stopped before the end.
    """

    rule: str
    conclusion: str
    own: int = 0
    own_fired: int = 0
    own_unknown: int = 0
    other: int = 0
    other_fired: int = 0
    other_unknown: int = 0
    open: int = 0
    open_fired: int = 0
    open_unknown: int = 0
    healthy: int = 0
    healthy_fired: int = 0
    healthy_unknown: int = 0
    disagreements: list[Disagreement] = []
    cancelled: bool = False

    @property
    def records(self) -> int:
        """How many records were replayed."""
        return self.own + self.other + self.open + self.healthy

    def take(self, record: Replayed, answer: Answer) -> None:
        """Count one record."""
        group, fired = self._group(record), answer == "fired"
        for name in (group, f"{group}_{answer}"):
            if answer != "silent" or name == group:
                setattr(self, name, getattr(self, name) + 1)
        if group != "open" and answer != "unknown" and fired != (group == "own"):
            self.disagreements.append(Disagreement(record.id, record.kind, fired, record.cause))

    def _group(self, record: Replayed) -> str:
        if record.kind == "healthy":
            return "healthy"
        if not record.cause:
            return "open"
        return "own" if record.cause == self.conclusion else "other"


class Cancelled(Exception):  # noqa: N818 - no error
    """Raised by a progress callback that wants the replay to stop."""


def records(library: CaseLibrary) -> Iterator[Replayed]:
    """Yield every incident of a library that has facts, then every healthy window.

    Raises:
        CaseError: the library cannot be read.
    """
    after = -1
    sql = (
        "SELECT i.key, i.id, i.verdict, i.pattern, i.confirmed, f.facts FROM incident i"
        " JOIN fingerprint f ON f.incident = i.key WHERE i.key > ? ORDER BY i.key LIMIT ?"
    )
    while True:
        with library.database.reader() as reader:
            rows = reader.rows(sql, [after, _PAGE])
        for _, name, verdict, pattern, confirmed, facts in rows:
            known = revived(json.loads(facts))
            if known:
                finding = pattern if verdict == "pattern" and pattern else "spike"
                yield Replayed(name, "incident", finding, known, confirmed or "")
        if len(rows) < _PAGE:
            break
        after = rows[-1][0]
    for name, known in kept(library):
        yield Replayed(name, "healthy", "spike", known)


def backtest(
    rule: RuleDocument,
    base: RuleBase,
    replayed: Iterable[Replayed],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    cluster: str | None = None,
) -> BacktestReport:
    """Return what a rule would have concluded on each record.

    Args:
        rule: the rule, which need not be in the base.
        base: where the symptoms come from that it builds on.
        replayed: the records; see `records`.
        workers: processes; as many as there are cores if None. Few records stay in this process.
        progress: called with the number of records done; may raise `Cancelled` to stop.
        cluster: address of a Dask scheduler whose workers do it instead, such as ``tcp://host:8786``.

    Raises:
        CycleError: the rule and those it builds on form a circle.
        EngineUnavailableError: the rules engine does not load in this Python.
        CaseError: the cluster cannot be reached, or Dask is not installed.
    """
    report = BacktestReport(rule.id, rule.conclusion)
    needed = needed_rules(rule, base)
    Engine(needed)  # here, so that what is wrong with the rules is told before any process starts
    done = 0
    try:
        for batch, answers in judged(needed, rule.id, replayed, workers, cluster):
            for record, answer in zip(batch, answers, strict=True):
                report.take(record, answer)
            done += len(batch)
            if progress is not None:
                progress(done)
    except Cancelled:
        report.cancelled = True
    report.disagreements.sort(key=lambda d: (not d.fired, d.kind != "healthy", d.id))
    del report.disagreements[MOST_NAMED:]
    return report


def needed_rules(rule: RuleDocument, base: RuleBase) -> list[Rule]:
    """Return a rule with all rules of a base whose conclusions it builds on."""
    found = {rule.id: Rule.of(rule)}
    wanted = list(found[rule.id].facts)
    while wanted:
        for document in base.concluding(wanted.pop()):
            if document.id not in found:
                found[document.id] = Rule.of(document)
                wanted += found[document.id].facts
    return list(found.values())
