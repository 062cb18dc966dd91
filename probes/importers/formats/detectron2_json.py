"""detectron2: metrics.json."""

from __future__ import annotations

from ..jsonlines import JsonLinesFormat


class Detectron2Json(JsonLinesFormat):
    """detectron2 ``metrics.json``, one object an interval; several runs may follow each other in one file.

    Recognised by ``iteration`` with ``total_loss`` or ``data_time``. The loss is ``total_loss``, the
    validation loss ``validation_loss`` where a hook writes one.
    """

    name = "detectron2-json"
    weight = 0.9
    example = (
        '{"data_time": 0.06, "iteration": 19, "loss_cls": 1.4, "loss_rpn_cls": 0.4, "lr": 2.5e-05,'
        ' "total_loss": 1.8}\n'
        '{"data_time": 0.06, "iteration": 39, "loss_cls": 1.1, "loss_rpn_cls": 0.3, "lr": 5.2e-05,'
        ' "total_loss": 1.4}\n'
    )

    def fits(self, keys: frozenset[str]) -> bool:
        """Tell by the storage's own keys."""
        return "iteration" in keys and bool(keys & {"total_loss", "data_time"})


IMPORTERS = (Detectron2Json(),)
