"""Keras: CSVLogger and saved ``History`` frames."""

from __future__ import annotations

from ..tables import CsvFormat


class KerasCsv(CsvFormat):
    """Keras ``CSVLogger`` and history frames, one row an epoch.

    Recognised by columns ``loss`` and ``val_loss``, or ``epoch``, ``loss`` and ``accuracy``, without a step.
    An unnamed first column is the epoch. The loss is ``loss``.
    """

    name = "keras-csv"
    weight = 0.75
    counter = "epoch"
    example = "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.51,1.32,0.55,1.21\n1,0.6,1.05,0.6,1.01\n"

    def fits(self, columns: frozenset[str]) -> bool:
        """Tell by the columns that Keras names."""
        if "loss" not in columns or columns & {"step", "global_step", "iteration", "samples"}:
            return False
        return "val_loss" in columns or {"epoch", "accuracy"} <= columns


IMPORTERS = (KerasCsv(),)
