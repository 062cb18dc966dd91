"""The page of the documentation on importers, written from the importers themselves."""

from __future__ import annotations

import inspect

from .base import importers

_TOP = """\
# Importing logs

Generated from the importers; do not edit.

`spikelore import FILE...` turns a training log into a run directory, and `spikelore diagnose FILE` does
so on the way. Files, folders, `-` for standard input and fsspec URLs (`s3://`, `gs://`, `ssh://`; extra
`remote`) are read alike, compressed with gzip, bzip2 or xz or not, in UTF-8, UTF-16 or UTF-32.

## Formats

A format is recognised by content, never by a file's name: every importer reads a sample of the file,
and the surest one wins.

| format | reads | recognised by, and its loss |
| --- | --- | --- |
"""

_REST = """
A new format is one module in `probes/importers/formats` with an object in `IMPORTERS`; its docstring
becomes a row above.

Not read: what lies on a tracking server, which exports tables that are read; and Aim's repository, which
Aim's own package opens for writing only, with a web server and a database client behind it. Export its
metrics as CSV.

## What becomes of the columns

| evidence | taken from |
| --- | --- |
| `loss` | the column named a total (`total_loss`, `loss`, `train/loss`, `训练损失`); of parts without \
one the sum of a detector's, of a GAN the generator's, of an actor-critic the critic's |
| `val.loss` | the same among validation columns (`val`, `valid`, `eval`; `test` where no other) |
| `train.loss` | a training loss evaluated beside the validation loss, not of single batches |
| `lr`, `grad.norm`, `amp.scale`, `batch.size`, `weight.norm`, `val.accuracy` | columns of the usual names |
| `extra/NAME` | every other column of numbers |

`run.json` keeps which column each was read from (`import.columns`). `--map loss=COLUMN` says otherwise,
also for `step`, `epoch`, `time`, `val.loss` and any other evidence; a table without a header is mapped
by number (`--map step=0 --map loss=1`). Where a log has no step, the epoch or the row is counted
(`import.unit`).

## Dirty logs

- NaN is read as an empty cell or a missing field among values that go on, as a loss of 0.0 beside a
  gradient norm that is not finite, and in every spelling. What was inferred is marked
  `extra/loss_inferred` and told in the run's notes.
- A step that goes back to where a job was resumed supersedes what it repeats: the later points are the
  run, the earlier ones are kept in `superseded.jsonl`. A step that goes back to the first one is
  another run in the same file: it is put behind the first, its own step is `extra/log_step`. Both are
  `segment` events with the loss before, after and in between. A step that goes back while the epoch
  rises counts within the epoch.
- Lines, rows and cells that were not understood are counted, and a few are shown; a line with the word
  loss comes first.
- Of several ranks in one log one is followed. Messages on memory, devices, checkpoints and skipped
  steps become events.

## Folders

`spikelore import FOLDER` reads every run below it in parallel. Event files of one folder are one run,
as are the logs of different formats in one folder, of which the most telling is read; a checkpoint's
history that a later one contains is left out. A file that keeps several runs, such as MLflow's database,
gives one run each; `FILE/RUN` names one of them. What cannot be read is listed with its reason and stops
nothing.
"""


def markdown() -> str:
    """Return the page."""
    return _TOP + "".join(_row(name) for name in sorted(importers())) + _REST


def _row(name: str) -> str:
    first, _, rest = (inspect.getdoc(type(importers()[name])) or "").partition("\n\n")
    cells = [f"`{name}`", _plain(first), _plain(rest)]
    return f"| {' | '.join(cells)} |\n"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")
