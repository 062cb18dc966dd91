"""YOLOX: the training lines of its console."""

from __future__ import annotations

import re
from typing import Any

from ..rows import Rows
from ..text import LineReader, TextFormat

_HEAD = re.compile(r"epoch: (\d{1,9})/(\d{1,9}), iter: (\d{1,12})/(\d{1,12})")
_PAIR = re.compile(r"([A-Za-z_]\w{0,40}): ([-+]?[\d.]+(?:[eE][-+]?\d+)?|nan|-?inf)(?=[,\s]|$)")


class Yolox(TextFormat):
    """YOLOX console text.

    Recognised by ``epoch: 1/300, iter: 10/1000`` before ``total_loss``. The loss is ``total_loss``; the
    step is counted over the epochs.
    """

    name = "yolox"
    weight = 0.95
    marks = ("iter: ",)
    columns = ("total_loss", "lr")
    example = (
        "2022-01-01 10:00:00 | INFO     | yolox.core.trainer:261 - epoch: 1/300, iter: 10/1000, mem: 4000Mb,"
        " iter_time: 0.5s, data_time: 0.1s, total_loss: 16.7, iou_loss: 4.6, l1_loss: 0.0, conf_loss: 10.0,"
        " cls_loss: 2.1, lr: 1.0e-06, size: 640, ETA: 1 day\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader of one line an interval."""

        def line(text: str, place: int) -> bool:
            found = _HEAD.search(text)
            if not found:
                return False
            epoch, _, at, per_epoch = map(int, found.groups())
            row: dict[str, Any] = {
                "step": (epoch - 1) * per_epoch + at,
                "epoch": epoch - 1 + at / max(1, per_epoch),
                **dict(_PAIR.findall(text, found.end())),
            }
            return rows.feed(row, place)

        return line


IMPORTERS = (Yolox(),)
