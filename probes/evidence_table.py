"""The evidence table: every name that sensors write, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from .evidence import Field
from .sensors import sensor_classes

_WHEN = {
    "step": "every step",
    "sampled": "some steps",
    "eval": "evaluation",
    "gauge": "once a second",
    "event": "event",
}
_HEAD = """# Evidence

Generated from the sensors; do not edit.

What a run's evidence files hold. *Every step* means each optimizer step; *some steps* means as many as
the overhead budget allows, always including the first steps of a run and every step whose loss stands
out; an *event* is recorded when it happens, and its shape names the keys of its data.

| name | unit | shape | when | sensor | meaning |
| --- | --- | --- | --- | --- | --- |
"""


def markdown() -> str:
    """Return the document."""
    return _HEAD + "".join(sorted(_rows()))


def _rows() -> Iterator[str]:
    for sensor in sensor_classes():
        for field in sensor.FIELDS:
            yield _row(field, sensor.name)


def _row(field: Field, sensor: str) -> str:
    cells = (f"`{field.name}`", field.unit, field.shape, _WHEN[field.when], sensor, field.doc)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
