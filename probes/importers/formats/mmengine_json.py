"""OpenMMLab: the JSON log and scalars.json of mmcv and mmengine."""

from __future__ import annotations

from typing import Any

from ..jsonlines import JsonLinesFormat
from ..sink import Sink
from ..source import Source


class MmengineJson(JsonLinesFormat):
    """OpenMMLab ``*.log.json`` (mmcv) and ``scalars.json`` (mmengine).

    Recognised by ``mode`` with ``iter``, or by ``iter`` and ``step`` with ``data_time``. The loss is
    ``loss``; rows of mode ``val`` are validation, and an iteration within the epoch is continued over the
    epochs.
    """

    name = "mmengine-json"
    weight = 0.92
    example = (
        '{"mode": "train", "epoch": 1, "iter": 50, "lr": 0.001, "data_time": 0.05, "loss_cls": 0.8,'
        ' "loss": 1.2}\n'
        '{"mode": "train", "epoch": 1, "iter": 100, "lr": 0.002, "data_time": 0.05, "loss_cls": 0.7,'
        ' "loss": 1.0}\n'
        '{"mode": "val", "epoch": 1, "iter": 20, "lr": 0.002, "bbox_mAP": 0.12}\n'
        '{"mode": "train", "epoch": 2, "iter": 50, "lr": 0.002, "data_time": 0.05, "loss_cls": 0.5,'
        ' "loss": 0.9}\n'
    )

    def fits(self, keys: frozenset[str]) -> bool:
        """Tell by the logger hook's own keys."""
        return {"mode", "iter"} <= keys or {"iter", "step", "data_time", "loss"} <= keys

    def row(self, found: dict[str, Any]) -> dict[str, Any] | None:
        """Return a row; a validation row counts its own batches, so it goes where training stands."""
        if "step" in found and "iter" in found:
            found = {key: value for key, value in found.items() if key != "iter"}
        mode = found.get("mode")
        if mode is None:
            return found
        if mode == "train":
            return {key: value for key, value in found.items() if key != "mode"}
        return {
            (key if key == "epoch" else f"val/{key}"): value
            for key, value in found.items()
            if key not in ("mode", "iter", "step", "lr")
        }

    def without_loss(self, line: str, source: Source, sink: Sink) -> None:
        """Take the first object of a log, which describes the environment."""
        if "mmdet_version" not in line and "env_info" not in line:
            super().without_loss(line, source, sink)


IMPORTERS = (MmengineJson(),)
