"""Judges records by a few rules: in this process, in several, or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import Any, Literal, TypeAlias

import msgspec

from ..rules.diagnosis import FactValue
from ..rules.engine import Engine, Rule
from ..rules.facts.registry import FactSet
from .errors import CaseError

Kind: TypeAlias = Literal["incident", "healthy"]

_BATCH = 500
_IN_PROCESS = 4000
"""Records up to which starting other processes takes longer than the work."""


class Replayed(msgspec.Struct, frozen=True):
    """One moment of a run on record.

    Attributes:
        cause: what people confirmed; empty for a healthy run and while nobody has.
    """

    id: str
    kind: Kind
    verdict: str
    facts: dict[str, FactValue]
    cause: str = ""


Batch: TypeAlias = "list[Replayed]"
Judged: TypeAlias = "Iterator[tuple[Batch, list[bool]]]"


def judged(
    rules: Sequence[Rule],
    identifier: str,
    replayed: Iterable[Replayed],
    workers: int | None,
    cluster: str | None,
) -> Judged:
    """Yield the records in batches, each with whether the rule named fires.

    Raises:
        CaseError: the cluster cannot be reached, or Dask is not installed.
    """
    rest = iter(replayed)
    if cluster is not None:
        yield from _on_cluster(rules, identifier, rest, cluster)
        return
    first = list(islice(rest, _IN_PROCESS))
    count = workers or os.cpu_count() or 1
    if count == 1 or len(first) < _IN_PROCESS:
        engine = Engine(rules)
        for batch in _batches([first, rest]):
            yield batch, _fired(engine, identifier, batch)
        return
    yield from _in_processes(rules, identifier, _batches([first, rest]), count)


def _batches(parts: Iterable[Iterable[Replayed]]) -> Iterator[Batch]:
    together = (record for part in parts for record in part)
    while batch := list(islice(together, _BATCH)):
        yield batch


def _fired(engine: Engine, identifier: str, batch: Batch) -> list[bool]:
    return [identifier in engine.evaluate(FactSet.of(r.facts), r.verdict).firings for r in batch]


_engine: Engine | None = None
_rules: Sequence[Rule] = ()


def judge(rules: Sequence[Rule], identifier: str, batch: Batch) -> list[bool]:
    """Return whether a rule fires on each record; a process compiles the rules once."""
    global _engine, _rules
    if _engine is None or _rules != rules:
        _engine, _rules = Engine(rules), rules
    return _fired(_engine, identifier, batch)


def _in_processes(rules: Sequence[Rule], identifier: str, batches: Iterator[Batch], count: int) -> Judged:
    """Keep a few batches under way, so that a library of any size is read as fast as it is judged."""
    # Not forked: a screen that is open has threads, and a fork of those may hang.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        waiting = [(b, pool.submit(judge, rules, identifier, b)) for b in islice(batches, 2 * count)]
        try:
            while waiting:
                batch, future = waiting.pop(0)
                result = future.result()
                waiting += [(b, pool.submit(judge, rules, identifier, b)) for b in islice(batches, 1)]
                yield batch, result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _on_cluster(rules: Sequence[Rule], identifier: str, replayed: Iterator[Replayed], address: str) -> Judged:
    try:
        import distributed
    except ImportError:
        raise CaseError("--cluster needs Dask: pip install 'spikelore[cluster]'") from None
    try:
        client: Any = distributed.Client(address, timeout=10)  # type: ignore[no-untyped-call, unused-ignore]
    except (OSError, ValueError, TypeError) as error:
        raise CaseError(
            f"{address}: no Dask scheduler answers; valid is an address such as tcp://host:8786"
        ) from error
    with client:
        width = 2 * max(len(client.scheduler_info()["workers"]), 1)
        shared = client.scatter(list(rules), broadcast=True)
        batches = _batches([replayed])
        waiting = [
            (b, client.submit(judge, shared, identifier, b, pure=False)) for b in islice(batches, width)
        ]
        while waiting:
            batch, future = waiting.pop(0)
            result = future.result()
            waiting += [
                (b, client.submit(judge, shared, identifier, b, pure=False)) for b in islice(batches, 1)
            ]
            yield batch, result
