"""Which column becomes which evidence: one loss among many, one step counter, the rest kept as extras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .names import SINGLE, Guess, guess
from .vocabulary import ADVERSARY, CRITIC, DETECTION, GENERATOR

MOST_EXTRAS = 512
"""Columns kept beyond the known quantities; a log of a column per neuron is not what is looked for."""

_TOTAL = 60.0
"""Rank from which a loss is a total by its name."""

_SAID = 20.0
"""Rank from which a name says ``loss``."""


@dataclass(frozen=True)
class Slot:
    """Where a column's values go.

    Attributes:
        home: ``step``, ``epoch``, ``time``, ``train`` or ``val``.
        name: evidence name for ``train`` and ``val``.
        part_of: ``loss`` or ``val.loss`` where the column is one summand of it.
        rank: which of several step columns wins.
    """

    home: str
    name: str = ""
    part_of: str = ""
    rank: float = 0.0


class Roles:
    """Gives every column its slot; columns that turn up later never take a quantity away from an earlier one.

    Args:
        columns: the columns known from a look ahead.
        mapping: evidence name -> column, what the user said.
    """

    def __init__(self, columns: Iterable[str] = (), mapping: Mapping[str, str] | None = None) -> None:
        self.mapping = dict(mapping or {})
        self.slots: dict[str, Slot] = {}
        self.chosen: dict[str, tuple[str, ...]] = {}
        self._extras = 0
        for name, column in self.mapping.items():
            self._take(name, (column,))
        self.learn(columns)

    def learn(self, columns: Iterable[str]) -> None:
        """Take in columns that were not known before."""
        fresh = [column for column in dict.fromkeys(columns) if column not in self.slots]
        if not fresh:
            return
        guesses = {column: guess(column) for column in fresh}
        self._choose_losses(guesses)
        for name in SINGLE:
            self._choose_best(guesses, name, name, ("", "train"))
        self._choose_best(guesses, "accuracy", "val.accuracy", self._judged(guesses))
        for column in fresh:
            if column not in self.slots:
                self.slots[column] = self._rest(column, guesses[column])

    def _take(self, name: str, columns: tuple[str, ...]) -> None:
        self.chosen[name] = columns
        home = name if name in ("step", "epoch", "time") else "val" if name.startswith("val.") else "train"
        for column in columns:
            alone = len(columns) == 1
            self.slots[column] = Slot(
                home,
                name if alone else f"extra/{column}",
                "" if alone else name,
                rank=1000.0 if home == "step" else 0.0,
            )

    def _judged(self, guesses: Mapping[str, Guess]) -> tuple[str, ...]:
        """Return the split that stands for validation: a test set only where there is no other."""
        known = [guess(column) for columns in self.chosen.values() for column in columns]
        splits = {found.split for found in [*guesses.values(), *known] if found.kind in ("loss", "accuracy")}
        return ("val",) if "val" in splits or "test" not in splits else ("test",)

    def _choose_losses(self, guesses: Mapping[str, Guess]) -> None:
        judged = self._judged(guesses)
        for name, splits in (("loss", ("", "train")), ("val.loss", judged)):
            if name in self.chosen:
                continue
            losses = {c: g for c, g in guesses.items() if g.kind == "loss" and g.split in splits}
            columns = pick_loss(
                {c: g for c, g in losses.items() if c not in self.slots and self._comparable(g)}
            )
            if columns:
                self._take(name, columns)
        self._evaluated(guesses)

    def _comparable(self, found: Guess) -> bool:
        """Tell whether a measure is on the training loss's scale: perplexity is not cross-entropy."""
        train = self.chosen.get("loss", ())
        if found.rank >= _SAID or not found.split.startswith(("val", "test")) or len(train) != 1:
            return True
        return set(found.words) == set(guess(train[0]).words)

    def _evaluated(self, guesses: Mapping[str, Guess]) -> None:
        """Keep a training loss evaluated beside the validation loss apart from that of the batches."""
        batch = self.chosen.get("loss", ())
        if (
            len(batch) != 1
            or guess(batch[0]).split
            or "train.loss" in self.chosen
            or "val.loss" not in self.chosen
        ):
            return
        meant = {
            c: g
            for c, g in guesses.items()
            if g.kind == "loss" and g.split == "train" and c not in self.slots
        }
        columns = pick_loss(meant)
        if len(columns) == 1:
            self.chosen["train.loss"] = columns
            self.slots[columns[0]] = Slot("val", "train.loss")

    def _choose_best(
        self, guesses: Mapping[str, Guess], kind: str, name: str, splits: tuple[str, ...]
    ) -> None:
        found = [
            c for c, g in guesses.items() if g.kind == kind and g.split in splits and c not in self.slots
        ]
        if found and name not in self.chosen:
            self._take(name, (max(found, key=lambda column: guesses[column].rank),))

    def _rest(self, column: str, found: Guess) -> Slot:
        if found.kind in ("step", "epoch", "time"):
            if found.kind == "step" and "step" in self.mapping:
                return self._extra("train", column)
            return (
                Slot(found.kind, rank=found.rank)
                if found.kind not in self.mapping
                else self._extra("train", column)
            )
        if found.kind == "lr" and found.rank < 0:
            return Slot("train", f"lr/{-found.rank:.0f}")
        return self._extra("val" if found.split in ("val", "test") else "train", column)

    def _extra(self, home: str, column: str) -> Slot:
        self._extras += 1
        if self._extras > MOST_EXTRAS:
            return Slot("skip")
        return Slot(home, f"extra/{column.strip() or 'unnamed'}"[:120])

    def described(self) -> dict[str, str]:
        """Return evidence name -> the columns that it was read from, as text."""
        return {name: " + ".join(columns) for name, columns in sorted(self.chosen.items())}


def pick_loss(losses: Mapping[str, Guess]) -> tuple[str, ...]:
    """Return the columns whose sum is the total loss; empty where there is none.

    A column that is a total by name wins. Of parts without a total, those of a detector (box, objectness,
    class, ...) are summed; of a GAN the generator's are, as its curve is the one that is judged; of an
    actor-critic the critic's is taken; otherwise the first part stands for the rest.
    """
    if not losses:
        return ()
    best = max(losses, key=lambda column: losses[column].rank)
    if losses[best].rank >= _TOTAL:
        return (best,)
    parts = [column for column, found in losses.items() if _SAID < found.rank < _TOTAL]
    if len(parts) < 2:
        return (best,)
    words = {column: set(losses[column].words) for column in parts}
    generator = [c for c in parts if words[c] & GENERATOR]
    if generator and (len(generator) < len(parts) or any(words[c] & ADVERSARY for c in parts)):
        total = [c for c in generator if "total" in words[c]]
        return tuple(total[:1] or generator)
    detection = [c for c in parts if words[c] & DETECTION and not words[c] & {"unscaled", "aux"}]
    if len(detection) >= 2:
        return tuple(detection)
    critic = [c for c in parts if words[c] & CRITIC]
    return (critic[0],) if critic else (parts[0],)
