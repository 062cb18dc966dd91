"""CycleGAN and pix2pix: loss_log.txt and the console."""

from __future__ import annotations

import re
from typing import Any

from ..figures import number
from ..rows import Rows
from ..text import LineReader, TextFormat

_HEAD = re.compile(r"\(epoch: (\d{1,9}), iters: (\d{1,12}),[^)]{0,80}\)\s*(.*)")
_PAIR = re.compile(r"([A-Za-z_]\w{0,30}): ([-+]?[\d.]+(?:[eE][-+]?\d+)?|nan|-?inf)(?=[,\s]|$)")


class CycleGan(TextFormat):
    """CycleGAN and pix2pix text, a dozen losses of generators and discriminators a line.

    Recognised by ``(epoch: 1, iters: 100, ...)``. The loss is the generators' objective: the sum of all
    that are not a discriminator's (``D_A``, ``D_real``, ...), which are kept as extras.
    """

    name = "cyclegan"
    weight = 0.95
    marks = ("iters: ",)
    columns = ("generator loss",)
    example = (
        "================ Training Loss (Mon Jan  3 10:00:00 2022) ================\n"
        "(epoch: 1, iters: 100, time: 0.5, data: 0.2) D_A: 0.3 G_A: 0.4 cycle_A: 1.8 idt_A: 0.8 D_B:"
        " 0.4 G_B: 0.3"
        " cycle_B: 1.7 idt_B: 0.9\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader of one line an interval; ``iters`` counts within the epoch."""

        def line(text: str, place: int) -> bool:
            found = _HEAD.search(text)
            pairs = {name: number(value) for name, value in _PAIR.findall(found[3])} if found else {}
            generator = [
                value for name, value in pairs.items() if not name.startswith("D") and value is not None
            ]
            if not found or not generator:
                return False
            row: dict[str, Any] = {"epoch": found[1], "step": found[2], "generator loss": sum(generator)}
            row.update({f"part {name}": value for name, value in pairs.items()})
            return rows.feed(row, place)

        return line


IMPORTERS = (CycleGan(),)
