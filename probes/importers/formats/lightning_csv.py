"""PyTorch Lightning's CSVLogger."""

from __future__ import annotations

import re

from ..tables import CsvFormat


class LightningCsv(CsvFormat):
    """PyTorch Lightning ``metrics.csv``, training and validation on rows of their own.

    Recognised by columns ``epoch`` and ``step`` beside losses. The loss is ``train_loss_step`` before
    ``train_loss_epoch``, the learning rate any ``lr-Optimizer`` column.
    """

    name = "lightning-csv"
    weight = 0.8
    example = (
        "epoch,lr-Adam,step,train_loss,val_loss\n0,,49,0.69,\n,0.001,49,,\n0,,124,,0.7\n"
        "1,,149,0.55,\n1,,249,,0.6\n"
    )

    def fits(self, columns: frozenset[str]) -> bool:
        """Tell by the two counters that Lightning writes on every row."""
        plain = {re.sub(r"\.\d+$", "", column) for column in columns}
        return (
            {"epoch", "step"} <= plain and "global_step" not in plain and not any("__MIN" in c for c in plain)
        )


IMPORTERS = (LightningCsv(),)
