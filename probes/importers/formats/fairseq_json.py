"""fairseq: ``--log-format json``."""

from __future__ import annotations

import re
from typing import Any

from ..jsonlines import JsonLinesFormat


class FairseqJson(JsonLinesFormat):
    """fairseq console with ``--log-format json``, numbers written as text.

    Recognised by ``num_updates`` or ``valid_num_updates`` keys. The loss is ``loss`` of ``train_inner``, the
    validation loss ``valid_loss``; an epoch's own summary is kept as extras.
    """

    name = "fairseq-json"
    weight = 0.93
    example = (
        '2021-03-01 10:00:00 | INFO | train_inner | {"epoch": 1, "update": 0.1, "loss": "12.1",'
        ' "nll_loss": "11.9", '
        '"num_updates": "100", "lr": "1e-05", "gnorm": "3.1", "loss_scale": "128"}\n'
        '2021-03-01 10:09:00 | INFO | valid | {"epoch": 1, "valid_loss": "10.2", "valid_num_updates":'
        ' "100"}\n'
    )

    def fits(self, keys: frozenset[str]) -> bool:
        """Tell by the counters of its progress bar."""
        return bool(keys & {"num_updates", "valid_num_updates", "train_num_updates"})

    def row(self, found: dict[str, Any]) -> dict[str, Any] | None:
        """Return a row under one step counter."""
        row: dict[str, Any] = {}
        for key, value in found.items():
            name = re.sub(r"^(?:train|valid\d*|test)_num_updates$", "num_updates", key)
            # An epoch's averages of training stand on the validation row's step; they are another curve.
            row[f"epoch_mean/{key[6:]}" if name.startswith("train_") else name] = value
        return row


IMPORTERS = (FairseqJson(),)
