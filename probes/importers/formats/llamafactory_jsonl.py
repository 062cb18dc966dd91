"""LLaMA-Factory: trainer_log.jsonl."""

from __future__ import annotations

from ..jsonlines import JsonLinesFormat


class LlamaFactoryJsonLines(JsonLinesFormat):
    """LLaMA-Factory ``trainer_log.jsonl``, one object an interval.

    Recognised by ``current_steps`` and ``total_steps``. The loss is ``loss``, the validation loss
    ``eval_loss``.
    """

    name = "llamafactory-jsonl"
    weight = 0.95
    example = (
        '{"current_steps": 10, "total_steps": 40, "loss": 2.49, "lr": 5e-07, "epoch": 0.1,'
        ' "percentage": 25.0}\n'
        '{"current_steps": 20, "total_steps": 40, "eval_loss": 2.4, "epoch": 0.2, "percentage": 50.0}\n'
    )

    def fits(self, keys: frozenset[str]) -> bool:
        """Tell by the two counters of its callback."""
        return {"current_steps", "total_steps"} <= keys


IMPORTERS = (LlamaFactoryJsonLines(),)
