"""MAE, DETR, DeiT and their descendants: log.txt with one JSON object an epoch."""

from __future__ import annotations

from ..jsonlines import JsonLinesFormat


class DetrJsonLines(JsonLinesFormat):
    """MAE, DETR, DeiT and BEiT ``log.txt``, one object an epoch.

    Recognised by ``train_loss`` and ``epoch`` with ``train_lr``, ``test_loss`` or ``n_parameters``. The
    loss is ``train_loss``, the validation loss ``test_loss``.
    """

    name = "detr-jsonl"
    weight = 0.85
    example = (
        '{"train_lr": 0.0001, "train_loss": 7.1, "test_loss": 6.8, "epoch": 0, "n_parameters": 41302368}\n'
        '{"train_lr": 0.0001, "train_loss": 6.2, "test_loss": 6.1, "epoch": 1, "n_parameters": 41302368}\n'
    )

    def fits(self, keys: frozenset[str]) -> bool:
        """Tell by the keys that this family of training scripts writes."""
        return {"train_loss", "epoch"} <= keys and bool(keys & {"train_lr", "test_loss", "n_parameters"})


IMPORTERS = (DetrJsonLines(),)
