"""HiFi-GAN and vocoders derived from it."""

from __future__ import annotations

import re
from typing import Any

from ..rows import Rows
from ..text import LineReader, TextFormat

_HEAD = re.compile(r"\bSteps\s*:\s*(\d{1,15}),\s*(.*Gen Loss Total.*)")
_PAIR = re.compile(r"([A-Za-z][A-Za-z .\-]{0,40}?)\s*:\s*([-+\d.eE]{1,40}|nan|-?inf)(?=[,\s]|$)")
_EPOCH = re.compile(r"^\s*Epoch\s*:\s*(\d{1,9})\s*$")


class HifiGan(TextFormat):
    """HiFi-GAN console text.

    Recognised by ``Steps : N, Gen Loss Total : X``. The loss is the generator's total; the mel-spectrogram
    error is kept as an extra.
    """

    name = "hifigan"
    weight = 0.95
    marks = ("Gen Loss Total",)
    columns = ("Gen Loss Total",)
    example = (
        "Epoch: 1\nSteps : 0, Gen Loss Total : 101.349, Mel-Spec. Error : 2.058, s/b : 0.585\n"
        "Steps : 5, Gen Loss Total :  nan, Mel-Spec. Error : 2.176, s/b : 0.496\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader that knows the epoch."""
        state: dict[str, str] = {}

        def line(text: str, place: int) -> bool:
            epoch = _EPOCH.match(text)
            if epoch:
                state["epoch"] = epoch[1]
                return True
            found = _HEAD.search(text)
            if not found:
                return False
            row: dict[str, Any] = {"step": found[1], **state}
            row.update((key.strip(), value) for key, value in _PAIR.findall(found[2]))
            return rows.feed(row, place)

        return line


IMPORTERS = (HifiGan(),)
