"""Logs as they are: NaN in many spellings, restarts, roll-backs, late lines."""

import json
import math

import pytest

from .logs import read, same

NAN = math.nan


def rows(first, last, loss=lambda step: 5 - step / 100, every=10, start=0):
    return "".join(f"{step},{loss(step)}\n" for step in range(first + start, last + 1, every))


@pytest.mark.parametrize(
    "spelled", ["nan", "NaN", "NAN", "-nan", "nan%", "1.#QNAN", "-1.#IND", "tensor(nan)"]
)
def test_spellings_of_nan(spelled, tmp_path):
    """Every platform has its own."""
    imported = read(tmp_path, f"step,loss\n1,2.5\n2,{spelled}\n3,2.0\n")
    assert same(imported.losses, [2.5, NAN, 2.0])


@pytest.mark.parametrize(
    ("spelled", "value"), [("inf", math.inf), ("-Infinity", -math.inf), ("1.#INF", math.inf)]
)
def test_spellings_of_infinity(spelled, value, tmp_path):
    """Infinite losses are evidence too."""
    assert read(tmp_path, f"step,loss\n1,2.5\n2,{spelled}\n").losses == [2.5, value]


def test_an_empty_cell_among_companions_is_nan(tmp_path):
    """A frame writes NaN as an empty cell: the gradient norm and the rate go on, the loss is gone."""
    imported = read(
        tmp_path,
        "step,loss,grad_norm,lr\n1,2.5,0.5,0.1\n2,2.4,0.6,0.1\n3,2.3,0.7,0.1\n4,,inf,0.1\n5,,inf,0.1\n",
    )
    assert same(imported.losses, [2.5, 2.4, 2.3, NAN, NAN])
    assert any("2 missing values of loss were read as NaN" in note for note in imported.run.manifest.notes)


def test_a_row_with_nothing_but_its_step_is_nan(tmp_path):
    """Loss and gradient norm may turn NaN together and leave only the counter."""
    imported = read(tmp_path, "step,loss,grad_norm\n1,2.5,0.5\n2,2.4,0.6\n3,,\n4,,\n")
    assert same(imported.losses, [2.5, 2.4, NAN, NAN])


def test_rows_of_another_rhythm_are_no_nan(tmp_path):
    """A rate that is logged more often than the loss says nothing about it."""
    content = "step,loss,lr\n" + "".join(f"{i},{'' if i % 5 else 3 - i / 100},0.1\n" for i in range(60))
    imported = read(tmp_path, content)
    assert len(imported.losses) == 12
    assert all(math.isfinite(loss) for loss in imported.losses)
    assert len(imported.points("lr")) == 60


def test_a_missing_validation_loss_among_its_measures_is_nan(tmp_path):
    """The word error rate is evaluated beside the loss, so the loss was computed and not finite."""
    content = "step,train/loss,validation/loss,validation/wer\n"
    content += "".join(f"{i},{3 - i / 10},{3 - i / 10},0.5\n" for i in range(1, 6))
    imported = read(tmp_path, content + "6,,,0.9\n")
    assert same([value for _, value in imported.validation], [2.9, 2.8, 2.7, 2.6, 2.5, NAN])


def test_zero_beside_a_non_finite_gradient_is_nan(tmp_path):
    """Trainers that filter NaN print a loss of 0.0; what was printed is kept."""
    imported = read(tmp_path, "step,loss,grad_norm\n1,2.5,1.5\n2,0.0,nan\n3,0.0,0.1\n")
    assert same(imported.losses, [2.5, NAN, 0.0])
    assert imported.points("extra/log_loss") == [(2, 0.0)]


def test_a_resumed_run_supersedes_what_it_repeats(tmp_path):
    """The job went back to a checkpoint: its later steps are the run, the earlier ones are kept aside."""
    imported = read(tmp_path, "step,loss\n" + rows(0, 100) + rows(60, 150, lambda step: 4 - step / 100))
    steps = [step for step, _ in imported.points()]
    assert steps == sorted(set(steps)) == list(range(0, 151, 10))
    assert dict(imported.points())[60] == 3.4
    assert dict(imported.points())[50] == 4.5
    segments = [event.data for event in imported.evidence.events_named("segment")]
    assert [(s["reason"], s["from_step"], s["to_step"]) for s in segments] == [
        ("start", 0, 50),
        ("rolled back", 60, 150),
    ]
    assert segments[1]["superseded"] == 5
    assert (segments[1]["loss_before"], segments[1]["loss_after"]) == (4.0, 3.4)
    kept = [
        json.loads(line) for line in (imported.result.directory / "superseded.jsonl").read_text().splitlines()
    ]
    assert [(point["step"], point["v"]["loss"]) for point in kept] == [
        (60, 4.4),
        (70, 4.3),
        (80, 4.2),
        (90, 4.1),
        (100, 4.0),
    ]


def test_a_spike_that_was_rolled_back_is_told_by_the_segment(tmp_path):
    """The curve goes on without it, and the event says what was there."""
    content = "step,loss\n" + rows(0, 100) + "110,9.5\n120,nan\n" + rows(60, 150)
    segment = read(tmp_path, content).evidence.events_named("segment")[1].data
    assert segment["loss_superseded"] == 9.5
    assert segment["nonfinite_superseded"] == 1


def test_a_roll_back_far_into_a_long_run(tmp_path):
    """Points that were written long ago are taken back as well."""
    imported = read(
        tmp_path, "step,loss\n" + rows(0, 30_000, every=1) + rows(5_000, 40_000, lambda s: 1.0, every=1)
    )
    points = imported.points()
    assert [step for step, _ in points] == list(range(40_001))
    assert points[4_999][1] != 1.0
    assert all(loss == 1.0 for _, loss in points[5_000:])


def test_another_run_behind_the_first_keeps_both(tmp_path):
    """A file that is appended to holds two runs: the second is put behind, its own step is kept."""
    imported = read(tmp_path, "step,loss\n" + rows(0, 50) + rows(0, 30))
    steps = [step for step, _ in imported.points()]
    assert len(steps) == 10
    assert steps == sorted(set(steps))
    assert [value for _, value in imported.points("extra/log_step")] == [0.0, 10.0, 20.0, 30.0]
    second = imported.evidence.events_named("segment")[1].data
    assert (second["reason"], second["log_from"], second["superseded"]) == ("started over", 0, 0)


def test_validation_of_the_second_run_belongs_to_it(tmp_path):
    """An evaluation before the first step of the next run is not late, it is early."""
    imported = read(
        tmp_path,
        "step,loss,val_loss\n0,,5.0\n0,4.5,\n10,4.0,\n20,3.5,\n20,,3.6\n0,,5.1\n0,4.6,\n10,4.1,\n",
    )
    assert [value for _, value in imported.validation] == [5.0, 3.6, 5.1]
    border = imported.evidence.events_named("segment")[1].step
    assert imported.validation[2][0] >= border


def test_a_counter_within_the_epoch_is_continued(tmp_path):
    """A step that goes back while the epoch rises is no restart."""
    content = "epoch,iter,loss\n" + "".join(
        f"{e},{i},{3 - e - i / 1000}\n" for e in (1, 2, 3) for i in (0, 10, 20)
    )
    imported = read(tmp_path, content)
    assert [step for step, _ in imported.points()] == [0, 10, 20, 30, 40, 50, 60, 70, 80]
    assert imported.result.segments == []


def test_a_counter_that_starts_over_evenly_counts_within_something(tmp_path):
    """Four stretches of equal length without an epoch are epochs, not four runs."""
    imported = read(tmp_path, "step,loss\n" + rows(0, 40) * 4)
    steps = [step for step, _ in imported.points()]
    assert len(steps) == 20
    assert steps == sorted(set(steps))
    assert imported.result.segments == []


def test_a_late_line_is_put_in_its_place(tmp_path):
    """Two writers may swap a pair of lines; that is no restart."""
    imported = read(tmp_path, "step,loss\n1,5\n2,4\n4,2\n3,3\n5,1\n")
    assert imported.points() == [(1, 5.0), (2, 4.0), (3, 3.0), (4, 2.0), (5, 1.0)]
    assert imported.result.segments == []


def test_a_repeated_step_loses_nothing(tmp_path):
    """Nothing says which of two losses of one step is the right one."""
    imported = read(tmp_path, "step,loss\n1,5\n2,4\n2,3\n3,2\n")
    assert imported.losses == [5.0, 4.0, 3.0, 2.0]
    assert imported.result.repeated == 1


def test_epochs_that_repeat_number_the_rows(tmp_path):
    """Several rows an epoch without a step: the epoch is known, the place in the log is the step."""
    imported = read(tmp_path, "epoch,loss\n0,5\n0,4.5\n0,4\n1,3.5\n1,3\n1,2.5\n")
    assert [step for step, _ in imported.points()] == [0, 1, 2, 3, 4, 5]
    assert imported.result.unit == "row"
    assert imported.evidence.series("loss").epoch.tolist() == [0, 0, 0, 1, 1, 1]


def test_a_run_that_is_appended_by_epochs_is_another_run(tmp_path):
    """Epochs that start over at the next line are a second run; rows of one epoch follow each other."""
    imported = read(
        tmp_path, "epoch,loss\n" + "".join(f"{e},{3 - e - run / 10}\n" for run in (0, 1) for e in range(9))
    )
    assert imported.result.unit == "epoch"
    assert len(imported.losses) == 18
    assert [e.data["reason"] for e in imported.evidence.events_named("segment")] == ["start", "started over"]


def test_an_epoch_that_goes_back_rolls_back_counted_rows(tmp_path):
    """Without a step the epoch alone tells that a job was resumed, and from where."""
    rows = [
        (0, 5.0),
        (0, 4.0),
        (1, 3.0),
        (1, 2.0),
        (2, 9.0),
        (2, 9.5),
        (1, 2.9),
        (1, 1.9),
        (2, 1.5),
        (2, 1.25),
    ]
    imported = read(tmp_path, "epoch,loss\n" + "".join(f"{epoch},{loss}\n" for epoch, loss in rows))
    assert imported.losses == [5.0, 4.0, 2.9, 1.9, 1.5, 1.25]
    border = imported.evidence.events_named("segment")[1].data
    assert (border["reason"], border["superseded"], border["loss_superseded"]) == ("rolled back", 4, 9.5)


@pytest.mark.parametrize(
    "losses", [[-1.5, -2.5, -3.25], [1e-12, 0.0, -1e-12], [1.5e4, 0.5, 0.4999], [0.0001, 0.0001, 0.0]]
)
def test_odd_scales_are_read_as_they_stand(losses, tmp_path):
    """Negative, vanishing, rounded and huge first losses are losses."""
    imported = read(tmp_path, "step,loss\n" + "".join(f"{i},{loss!r}\n" for i, loss in enumerate(losses)))
    assert imported.losses == losses


def test_steps_that_are_no_counters_are_refused(tmp_path):
    """A step of 1e300 would break every axis; the row goes by its place instead."""
    imported = read(tmp_path, "step,loss\n1,2.5\n1e300,2.25\n3,2.0\n")
    assert imported.losses == [2.5, 2.25, 2.0]
    assert max(step for step, _ in imported.points()) == 3
