"""Hugging Face Trainer: trainer_state.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from ..jsonlines import columns_of, flattened
from ..rows import Rows
from ..sink import Sink
from ..source import LogError, Sample, Source
from .json_document import parse_document

_LIMIT = 1 << 29
_SUMMARY = ("train_runtime", "train_samples_per_second")
_SETTINGS = ("max_steps", "num_train_epochs", "train_batch_size", "logging_steps", "eval_steps", "save_steps")


class HfTrainerState:
    """Hugging Face Trainer, TRL and Accelerate ``trainer_state.json``.

    Recognised by ``log_history``. The loss is ``loss``, the validation loss ``eval_loss``; the summary at the
    end (``train_loss``) is kept as a setting.
    """

    name: ClassVar[str] = "hf-trainer-state"
    example: ClassVar[str] = (
        '{"global_step": 20, "log_history": [{"epoch": 0.1, "grad_norm": 1.5, "learning_rate": 5e-05,'
        ' "loss": 2.4,'
        ' "step": 10}, {"epoch": 0.2, "eval_loss": 2.2, "step": 20}], "max_steps": 100}\n'
    )

    def sniff(self, sample: Sample) -> float:
        """Tell by the key of the history."""
        if sample.path.is_dir() or sample.is_binary:
            return 0.0
        return 0.97 if sample.text.lstrip()[:1] == "{" and '"log_history"' in sample.text else 0.0

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read the history into a sink.

        Raises:
            LogError: the file is no JSON or has no history.
        """
        document = parse_document(source, _LIMIT)
        history = document.get("log_history") if isinstance(document, dict) else None
        if not isinstance(history, list):
            raise LogError(f"{source.label}: no list 'log_history'; valid is a trainer_state.json")
        history = [flattened(row) for row in history if isinstance(row, dict)]
        rows = Rows(sink, mapping, columns_of(row for row in history if not _is_summary(row)))
        for name in _SETTINGS:
            if isinstance(document.get(name), int | float):
                sink.setting(name, document[name])
        for index, row in enumerate(history):
            if _is_summary(row):
                for key, value in row.items():
                    sink.setting(f"summary/{key}", value)
            elif not rows.feed(row, f"log_history[{index}]"):
                sink.unread(f"log_history[{index}]", msgspec.json.encode(row).decode())
        rows.finish()


def _is_summary(row: Mapping[str, Any]) -> bool:
    return any(key in row for key in _SUMMARY)


IMPORTERS = (HfTrainerState(),)
