"""Ultralytics YOLO: results.csv."""

from __future__ import annotations

from ..tables import CsvFormat


class UltralyticsCsv(CsvFormat):
    """Ultralytics and YOLOv5 ``results.csv``, padded columns, one row an epoch.

    Recognised by a ``train/box_loss`` column. The loss is the sum of the parts (box, objectness or dfl,
    class), for training and validation alike; every part is kept as well.
    """

    name = "ultralytics-csv"
    weight = 0.9
    counter = "epoch"
    example = (
        "      epoch,   train/box_loss,   train/obj_loss,   train/cls_loss,     val/box_loss,    "
        " val/obj_loss,"
        "     val/cls_loss,   x/lr0\n"
        "          0,             0.12,             0.06,             0.03,             0.11,         "
        "    0.06,"
        "             0.02,    0.09\n"
        "          1,             0.11,             0.05,             0.02,             0.10,         "
        "    0.06,"
        "             0.02,    0.08\n"
    )

    def fits(self, columns: frozenset[str]) -> bool:
        """Tell by the box loss, which every task of the tool has."""
        return "train/box_loss" in columns


IMPORTERS = (UltralyticsCsv(),)
