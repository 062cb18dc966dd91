"""Curves read as columns hold what the evidence holds."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from spikelore.probes.evidence import Eval, Event, Header, RunDirectory, RunManifest, Step, encode
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.tui.columns import BLOCK, Columns, Growing
from spikelore.tui.curves import curve_of_fact, quantity, recorded
from spikelore.tui.follow import by_epoch
from spikelore.tui.runs import POINTS, summarize

from . import samples


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", RunManifest("r", 1.0, name="r"))


def test_columns_agree_with_the_reader(tmp_path: Path) -> None:
    """Step, value and epoch of every quantity are those of the full reader, NaN included."""
    run = samples.write(tmp_path / "run", samples.manifest("r"), 400, onset=300, nan_at=380)
    columns = Columns(run)
    columns.poll()
    evidence = RunEvidence.load(run).primary
    for name, kind in (
        ("loss", "step"),
        ("grad.norm", "step"),
        ("val.loss", "eval"),
        ("process.rss", "gauge"),
    ):
        found, expected = columns.series(name, kind), evidence.series(name, kind)
        assert len(found) == len(expected) > 0
        np.testing.assert_array_equal(found.step, expected.step)
        np.testing.assert_array_equal(found.value, expected.value)
        np.testing.assert_array_equal(found.epoch, expected.epoch)


def test_absent_is_not_nan(run: RunDirectory) -> None:
    """A step without the quantity, or with null, is left out; one that measured NaN or infinity stays."""
    values: list[dict[str, object]] = [
        {"loss": 1.0},
        {},
        {"loss": math.nan},
        {"loss": None},
        {"loss": -math.inf},
    ]
    path = run.new_evidence_file(0)
    path.write_bytes(b"".join(encode(Step(step, v=dict(v))) for step, v in enumerate(values)))  # type: ignore[arg-type]
    columns = Columns(run)
    columns.poll()
    series = columns.series("loss")
    assert series.step.tolist() == [0, 2, 4]
    assert math.isnan(series.value[1])
    assert series.value[2] == -math.inf


def test_it_follows_torn_lines_thinning_and_restarts(run: RunDirectory) -> None:
    """A torn line waits, a thinned file is read anew, and a restarted rank's file is added."""
    path = run.new_evidence_file(0)
    lines = [encode(Step(step, v={"loss": float(step)})) for step in range(10)]
    path.write_bytes(encode(Header(1, "r")) + b"".join(lines[:5]) + lines[5][:9])
    columns = Columns(run)
    columns.poll()
    assert columns.series("loss").step.tolist() == [0, 1, 2, 3, 4]
    with path.open("ab") as stream:
        stream.write(lines[5][9:])
    columns.poll()
    assert columns.series("loss").step.tolist() == [0, 1, 2, 3, 4, 5]
    thinned = path.with_suffix(".new")
    thinned.write_bytes(lines[0] + lines[4])
    thinned.replace(path)
    columns.poll()
    assert columns.series("loss").step.tolist() == [0, 4]
    run.new_evidence_file(0).write_bytes(lines[7])
    columns.poll()
    assert columns.series("loss").step.tolist() == [0, 4, 7]


def test_damage_costs_its_line_only(run: RunDirectory) -> None:
    """A broken line is counted, and the lines round it are read."""
    path = run.new_evidence_file(0)
    path.write_bytes(encode(Step(0, v={"loss": 1.0})) + b"{broken\n" + encode(Step(1, v={"loss": 2.0})))
    columns = Columns(run)
    columns.poll()
    assert columns.series("loss").value.tolist() == [1.0, 2.0]
    assert columns.damaged == 1


def test_blocks_do_not_cut_lines(run: RunDirectory) -> None:
    """A file of several blocks is read whole, and the progress grows from block to block."""
    path = run.new_evidence_file(0)
    with path.open("wb") as stream:
        step = 0
        while stream.tell() < 2.5 * BLOCK:
            stream.write(encode(Step(step, v={"loss": 0.5, "note": "x" * 2000})))
            step += 1
    columns = Columns(run)
    seen: list[float] = []
    columns.poll(pause=lambda: seen.append(columns.progress()))
    assert columns.series("loss").step.tolist() == list(range(step))
    assert len(seen) >= 2
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_only_the_lowest_rank_is_drawn(run: RunDirectory) -> None:
    """Another rank's file does not double the steps."""
    for rank in (0, 1):
        run.new_evidence_file(rank).write_bytes(encode(Step(0, v={"loss": float(rank)})))
    columns = Columns(run)
    columns.poll()
    assert columns.series("loss").value.tolist() == [0.0]


def test_events_come_along(run: RunDirectory) -> None:
    """Events are kept with their data."""
    run.new_evidence_file(0).write_bytes(encode(Event("optimizer", 3, 1.0, {"class": "SGD"})))
    columns = Columns(run)
    columns.poll()
    assert [(event.name, event.step, event.data) for event in columns.events] == [
        ("optimizer", 3, {"class": "SGD"})
    ]


def test_a_growing_array_keeps_its_views() -> None:
    """What was handed out before the array grew does not change."""
    growing = Growing()
    growing.extend(np.arange(200.0))
    view = growing.array
    growing.extend(np.arange(1000.0))
    assert view.tolist() == list(range(200))
    assert len(growing.array) == 1200


def test_a_summary_of_a_long_run_reads_samples(tmp_path: Path) -> None:
    """Last step and loss are the file's last, the curve has a fixed number of points with the spike in it."""
    run = samples.write(tmp_path / "run", samples.manifest("long"), 6000, onset=5000)
    row = summarize(run)
    assert row.step == 5999
    assert len(row.losses) == POINTS
    assert max(row.losses) > 3
    assert row.losses[10] < 2.5


def test_epochs_are_averaged(run: RunDirectory) -> None:
    """The mean of an epoch stands at its last step; without epochs the curve stays as it is."""
    path = run.new_evidence_file(0)
    steps = [Step(step, epoch=step / 4, v={"loss": float(step)}) for step in range(10)]
    path.write_bytes(b"".join(map(encode, steps)))
    columns = Columns(run)
    columns.poll()
    means = by_epoch(columns.series("loss"))
    assert means.step.tolist() == [3, 7, 9]
    assert means.value.tolist() == [1.5, 5.5, 8.5]


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        ("grad.norm_ratio", "grad.norm"),
        ("grad.norm/encoder", "grad.norm/encoder"),
        ("lr.jump", "lr"),
        ("loss.ratio", "loss"),
        ("learning", None),
        ("optimizer.class", None),
    ],
)
def test_a_fact_leads_to_its_quantity(fact: str, expected: str | None) -> None:
    """The longest recorded name that the fact's begins with is meant, none where there is none."""
    assert quantity(fact, {"loss", "lr", "grad.norm", "grad.norm/encoder", "grad"}) == expected


def test_the_curve_behind_a_fact_is_read_from_the_run(spiked: RunDirectory) -> None:
    """Only the quantity asked for is read, from whichever kind of record holds it."""
    curve = curve_of_fact(spiked, "val.ratio")
    assert curve is not None
    assert curve.name == "val.loss"
    assert len(curve.series) == 10
    assert curve_of_fact(spiked, "nothing.like_it") is None
    assert {"loss", "grad.norm", "lr"} <= recorded(spiked)["step"]


def test_an_evaluation_without_steps_is_drawn(run: RunDirectory) -> None:
    """A log of validation losses alone is a curve, too."""
    run.new_evidence_file(0).write_bytes(b"".join(encode(Eval(step, v={"val.loss": 1.0})) for step in (5, 9)))
    columns = Columns(run)
    columns.poll()
    assert columns.series("val.loss", "eval").step.tolist() == [5, 9]
    assert columns.last("val.loss", "eval") == 1.0
    assert columns.last("loss") is None
