"""Judges records by a few rules: in this process, in several, or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context
from typing import Any, Literal, TypeAlias

import msgspec

from ..rules.diagnosis import FactValue
from ..rules.documents.checking import is_derived
from ..rules.engine import Condition, Engine, Outcome, Rule
from ..rules.facts.registry import FactSet
from .errors import CaseError

Kind: TypeAlias = Literal["incident", "healthy"]

_BATCH = 500
_IN_PROCESS = 4000
"""Records up to which starting other processes takes longer than the work."""
_PATIENCE = 10.0
"""Seconds in which a scheduler must answer."""


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


Answer: TypeAlias = Literal["fired", "silent", "unknown"]
"""``unknown``: it did not fire, but would have if facts that are not on record were as it asks."""
Batch: TypeAlias = "list[Replayed]"
Case: TypeAlias = "tuple[str, dict[str, FactValue]]"
"""Verdict and facts of a record."""
Judged: TypeAlias = "Iterator[tuple[Batch, list[Answer]]]"


def judged(
    rules: Sequence[Rule],
    identifier: str,
    replayed: Iterable[Replayed],
    workers: int | None,
    cluster: str | None,
) -> Judged:
    """Yield the records in batches, each with what the rule named makes of it.

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
        for batch in _batches([first, rest]):
            yield batch, judge(rules, identifier, _cases(rules, batch))
        return
    yield from _in_processes(rules, identifier, _batches([first, rest]), count)


def _batches(parts: Iterable[Iterable[Replayed]]) -> Iterator[Batch]:
    together = (record for part in parts for record in part)
    while batch := list(islice(together, _BATCH)):
        yield batch


class _Judge:
    """Rules compiled once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self._engine = Engine(rules)
        self._by_id = {rule.id: rule for rule in rules}

    def answer(self, identifier: str, case: Case) -> Answer:
        verdict, facts = case
        outcome = self._engine.evaluate(FactSet.of(facts), verdict)
        if identifier in outcome.firings:
            return "fired"
        rule = self._by_id[identifier]
        open_ = rule.applies_to(verdict) and self._may_fire(rule, outcome)
        return "unknown" if open_ else "silent"

    def _may_fire(self, rule: Rule, outcome: Outcome) -> bool:
        """Tell whether facts that are not known could make a rule fire that did not."""
        if any(condition.judge(outcome.facts) == "yes" for condition in rule.unless):
            return False
        return all(self._may_hold(condition, outcome) for condition in rule.when)

    def _may_hold(self, condition: Condition, outcome: Outcome) -> bool:
        state = condition.judge(outcome.facts)
        if state != "unknown" or not is_derived(condition.fact):
            return state != "no"
        below = [rule for rule in self.rules if rule.conclusion == condition.fact]
        return any(self._may_fire(rule, outcome) for rule in below)


@lru_cache(maxsize=2)
def _compiled(rules: tuple[Rule, ...]) -> _Judge:
    return _Judge(rules)


def judge(rules: Sequence[Rule], identifier: str, cases: Sequence[Case]) -> list[Answer]:
    """Return what a rule makes of each case; a process compiles the rules once."""
    compiled = _compiled(tuple(rules))
    return [compiled.answer(identifier, case) for case in cases]


def _cases(rules: Sequence[Rule], batch: Batch) -> list[Case]:
    """Return what there is to judge, with the facts that the rules read: the others would only travel."""
    read = frozenset().union(*(rule.facts for rule in rules))
    return [(r.verdict, {name: r.facts[name] for name in read & r.facts.keys()}) for r in batch]


def _in_processes(rules: Sequence[Rule], identifier: str, batches: Iterator[Batch], count: int) -> Judged:
    # Not forked: a screen that is open has threads, and a fork of those may hang.
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        try:
            yield from _under_way(
                batches, 2 * count, lambda batch: pool.submit(judge, rules, identifier, _cases(rules, batch))
            )
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _under_way(batches: Iterator[Batch], width: int, submit: Callable[[Batch], Any]) -> Judged:
    """Keep a few batches under way, so that a library of any size is read as fast as it is judged."""
    waiting = [(batch, submit(batch)) for batch in islice(batches, width)]
    while waiting:
        batch, future = waiting.pop(0)
        answers = future.result()
        waiting += [(next_, submit(next_)) for next_ in islice(batches, 1)]
        yield batch, answers


def _on_cluster(rules: Sequence[Rule], identifier: str, replayed: Iterator[Replayed], address: str) -> Judged:
    try:
        import distributed
    except ImportError:
        raise CaseError("--cluster needs Dask: pip install 'spikelore[cluster]'") from None
    try:
        client: Any = distributed.Client(address, timeout=_PATIENCE)  # type: ignore[no-untyped-call, unused-ignore]
    except (OSError, ValueError, TypeError) as error:
        raise CaseError(
            f"{address}: no Dask scheduler answers; valid is an address such as tcp://host:8786"
        ) from error
    with client:
        width = 2 * max(len(client.scheduler_info()["workers"]), 1)
        shared = client.scatter(list(rules), broadcast=True)
        yield from _under_way(
            _batches([replayed]),
            width,
            lambda batch: client.submit(judge, shared, identifier, _cases(rules, batch), pure=False),
        )
