"""Curves are drawn true to the data, whatever their length."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from spikelore.tui.columns import Series
from spikelore.tui.widgets import braille, scale
from spikelore.tui.widgets.drawing import GUTTER, PARTS, Drawing, Line, Marks, lines_of
from spikelore.tui.widgets.sparkline import sparkline

INKS = {part: Style(color=f"color({number + 1})") for number, part in enumerate(PARTS)}
INKS["after"] = INKS["cursor"] = Style(bgcolor="color(20)")

lengths = st.integers(1, 400)
finite = st.floats(-1e6, 1e6)


def frame(lines: list[Line], size: tuple[int, int] = (60, 12), **marks: object) -> list[str]:
    view = (0.0, max(float(line.x[-1]) for line in lines))
    return Drawing(lines, Marks(view, **marks), size, INKS).frame().text().split("\n")  # type: ignore[arg-type]


def line(values: list[float], kind: str = "train") -> Line:
    return Line("", kind, np.arange(len(values), dtype=float), np.array(values))


@given(st.lists(finite, min_size=1, max_size=500), lengths)
def test_no_extreme_is_lost(values: list[float], columns: int) -> None:
    """However few columns there are, the lowest and the highest value are in the spans."""
    x = np.arange(len(values), dtype=float)
    spans = braille.decimate(x, np.array(values), (0.0, max(len(values) - 1.0, 1.0)), columns)
    assert np.nanmin(spans.low) == min(values)
    assert np.nanmax(spans.high) == max(values)


@given(st.lists(st.floats(), min_size=1, max_size=200), st.integers(1, 50))
def test_spans_agree_with_a_plain_loop(values: list[float], columns: int) -> None:
    """Each column holds exactly the finite extremes of its steps and whether one was not finite."""
    last = max(len(values) - 1.0, 1.0)
    edges = np.linspace(0.0, last, columns + 1)
    spans = braille.decimate(np.arange(len(values), dtype=float), np.array(values), (0.0, last), columns)
    for column in range(columns):
        closing = column == columns - 1
        inside = [
            value
            for step, value in enumerate(values)
            if edges[column] <= step < edges[column + 1] or (closing and step == edges[column + 1])
        ]
        numbers = [value for value in inside if math.isfinite(value)]
        assert spans.broken[column] == (len(numbers) < len(inside))
        if numbers:
            assert (spans.low[column], spans.high[column]) == (min(numbers), max(numbers))
        else:
            assert math.isnan(spans.low[column])


@given(st.lists(finite, min_size=2, max_size=60), st.integers(4, 120))
def test_a_line_has_no_holes(values: list[float], columns: int) -> None:
    """Between the first and the last value every column is covered and touches its neighbour."""
    x = np.arange(len(values), dtype=float)
    spans = braille.joined(braille.decimate(x, np.array(values), (0.0, x[-1]), columns))
    known = np.flatnonzero(~np.isnan(spans.low))
    assert np.array_equal(known, np.arange(known[0], known[-1] + 1))
    assert np.all(spans.low[known][1:] <= spans.high[known][:-1])
    assert np.all(spans.high[known][1:] >= spans.low[known][:-1])


def test_cells_are_the_braille_of_their_dots() -> None:
    """Each dot lands on its bit of the braille character."""
    for row in range(4):
        for column in range(2):
            mask = np.zeros((4, 2), dtype=bool)
            mask[row, column] = True
            bit = (0, 1, 2, 6)[row] if column == 0 else (3, 4, 5, 7)[row]
            assert braille.cells(mask)[0, 0] == 1 << bit


def test_a_rising_line_goes_from_lower_left_to_upper_right() -> None:
    """The first cell of a rising line is at the bottom, the last at the top."""
    rows = frame([line([float(i) for i in range(100)])], axis=False)
    assert rows[-1][GUTTER] not in " ┈"
    assert rows[0][-1] not in " ┈"


def test_one_bad_batch_in_a_million_is_seen() -> None:
    """A single high loss among a million steps reaches the upper edge."""
    y = np.full(1_000_000, 0.5)
    y[700_000] = 9.0
    rows = frame([Line("", "train", np.arange(1_000_000, dtype=float), y)])
    assert any(char not in " ┈" for char in rows[0][GUTTER:])


def test_values_that_are_no_numbers_are_marked_where_they_are() -> None:
    """NaN is marked at the upper edge in its column and nowhere else."""
    rows = frame([line([1.0] * 50 + [math.nan] + [1.0] * 49)], size=(GUTTER + 50, 8))
    assert [column for column, char in enumerate(rows[0]) if char == "✕"] == [GUTTER + 25]


def test_the_alarm_is_a_line_and_a_tint_behind_it() -> None:
    """From the alarm's column on, and only there, the background changes."""
    drawing = Drawing([line([1.0] * 100)], Marks((0.0, 99.0), alarm=50.0), (GUTTER + 50, 8), INKS)
    found = drawing.frame()
    tinted = [found.palette[ink].bgcolor is not None for ink in found.styles[0, GUTTER:]]
    assert tinted.index(True) == 25
    assert all(tinted[25:])
    assert found.text().split("\n")[0][GUTTER + 25] == "╎"


def test_both_curves_are_seen_where_they_coincide() -> None:
    """Two equal curves take turns in the cells that they share."""
    twins = [line([1.0] * 100, "train"), line([1.0] * 100, "val")]
    found = Drawing(twins, Marks((0.0, 99.0)), (60, 8), INKS).frame()
    colours = {found.palette[ink].color for row in found.styles for ink in row}
    assert {INKS["train"].color, INKS["val"].color} <= colours


def test_a_logarithmic_axis_leaves_out_what_it_cannot_show() -> None:
    """Zero and below are gaps, and the labels are powers of ten."""
    rows = frame([line([0.0, 1.0, 10.0, 100.0, 1000.0, -5.0])], size=(60, 16), logarithmic=True)
    labels = [row[:GUTTER].strip() for row in rows]
    assert {"10", "100"} <= set(labels)
    assert "✕" not in "".join(rows)


@pytest.mark.parametrize("size", [(1, 1), (GUTTER, 3), (GUTTER + 2, 2), (300, 1)])
def test_no_room_is_no_error(size: tuple[int, int]) -> None:
    """A plot squeezed to nothing still draws a frame of its size."""
    found = Drawing([line([1.0, 2.0])], Marks((0.0, 1.0)), size, INKS).frame()
    assert found.chars.shape == (size[1], size[0])


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 12))
def test_ticks_are_few_round_and_inside(low: float, width: float, most: int) -> None:
    """Ticks lie in the range, are evenly spaced and not more than asked for (one more at an edge)."""
    found = scale.ticks(low, low + width, most)
    assert len(found) <= most + 1
    slack = 1e-6 * max(abs(low), width)
    assert all(low - slack <= tick <= low + width + slack for tick in found)


def test_sparkline_shows_peaks_and_gaps() -> None:
    """The highest value of each share counts, and what is no number is marked."""
    assert sparkline([0, 0, 0, 7, 0, 0], 3) == "▁█▁"
    assert sparkline([1.0, math.nan], 2) == "▁✕"
    assert sparkline([], 5) == ""
    assert len(sparkline([float(i) for i in range(1000)], 16)) == 16


def test_a_held_value_does_not_rise_before_the_next_one() -> None:
    """Between two evaluations the curve is flat; the jump stands where the second was made."""
    x, y = np.array([0.0, 100.0, 200.0]), np.array([1.0, 1.0, 5.0])
    steps, values = braille.held(x, y, (120.0, 220.0), 50)
    assert values[steps < 200].max() == 1.0
    assert values[steps >= 200].tolist() == [5.0]
    assert steps[0] == 120.0
    assert len(braille.held(np.array([]), np.array([]), (0.0, 1.0), 8)[0]) == 0


def test_every_device_of_a_quantity_has_its_line() -> None:
    """Two GPUs are two curves of different colours with their numbers in the legend."""
    one = Series(np.arange(3.0), np.ones(3), np.zeros(3))
    drawn = lines_of({"gpu.memory/0": one, "gpu.memory/1": one}, "other")
    assert [line.label for line in drawn] == ["0", "1"]
    assert len({line.kind for line in drawn}) == 2
