"""TensorBoard event files, W&B run files, MLflow folders and databases."""

import math
import sqlite3
import struct
from contextlib import closing

import pytest
from spikelore.probes.importers import LogError, open_run, sniff
from spikelore.probes.importers.folders import runs_in

from .binary import (
    event,
    event_file,
    listed_tensor_value,
    mlflow_database,
    simple_value,
    tensor_value,
    wandb_file,
)
from .logs import read_path, same

T0 = 1.6e9


@pytest.mark.parametrize("value", [simple_value, tensor_value, listed_tensor_value])
def test_scalars_of_every_writer(value, tmp_path):
    """Three generations of writers put a number in three places."""
    events = [
        event(step, value("train/loss", loss), T0 + step)
        for step, loss in ((1, 2.5), (2, 2.25), (3, math.nan))
    ]
    path = event_file(tmp_path / "events.out.tfevents.1600000000.host", events)
    imported = read_path(path, tmp_path)
    assert sniff(path) == "tensorboard"
    assert same(imported.losses, [2.5, 2.25, math.nan])
    assert imported.evidence.steps[0].time == T0 + 1


def test_tags_at_one_step_are_one_row(tmp_path):
    """Parts are summed, and rate and validation are found by their tags."""
    summary = b"".join(
        simple_value(tag, value)
        for tag, value in (
            ("train/box_loss", 0.5),
            ("train/cls_loss", 0.25),
            ("val/box_loss", 1.0),
            ("val/cls_loss", 0.5),
        )
    )
    events = [event(0, summary + simple_value("x/lr0", 0.125), T0), event(1, summary, T0 + 1)]
    imported = read_path(event_file(tmp_path / "events.out.tfevents.1.x", events), tmp_path)
    assert imported.points() == [(0, 0.75), (1, 0.75)]
    assert imported.validation == [(0, 1.5), (1, 1.5)]
    assert imported.points("lr") == [(0, 0.125)]


def test_files_of_one_run_are_one_run(tmp_path):
    """A writer opens a new file after a restart; the folders it makes below hold further curves."""
    run = tmp_path / "logs"
    first = [event(s, simple_value("loss", 5.0 - s), T0 + s) for s in range(4)]
    second = [event(s, simple_value("loss", 9.0 - s), T0 + 100 + s) for s in range(2, 6)]
    event_file(run / "events.out.tfevents.1600000000.a", first)
    event_file(run / "events.out.tfevents.1600000100.a", second)
    event_file(
        run / "validation" / "events.out.tfevents.1600000001.a", [event(1, simple_value("loss", 2.5), T0 + 1)]
    )
    imported = read_path(run, tmp_path)
    assert imported.points() == [(0, 5.0), (1, 4.0), (2, 7.0), (3, 6.0), (4, 5.0), (5, 4.0)]
    assert imported.validation == [(1, 2.5)]
    assert [e.data["reason"] for e in imported.evidence.events_named("segment")] == ["start", "rolled back"]


def test_a_torn_event_file_is_read_up_to_there(tmp_path):
    """A job that died leaves half a record."""
    events = [event(step, simple_value("loss", 5.0 - step), T0 + step) for step in range(5)]
    path = event_file(tmp_path / "events.out.tfevents.1.x", events)
    path.write_bytes(path.read_bytes()[:-9])
    imported = read_path(path, tmp_path)
    assert imported.losses == [5.0, 4.0, 3.0, 2.0]
    assert imported.result.unread == 1


def test_a_damaged_record_is_counted_and_the_next_is_read(tmp_path):
    """The framing says where the next record begins."""
    good = [event(step, simple_value("loss", 5.0 - step), T0 + step) for step in range(3)]
    path = event_file(tmp_path / "events.out.tfevents.1.x", [good[0], b"\xff" * 40, good[1], good[2]])
    imported = read_path(path, tmp_path)
    assert imported.losses == [5.0, 4.0, 3.0]
    assert imported.result.unread == 1


def test_images_and_long_tensors_are_no_curves(tmp_path):
    """A histogram or an image has a tag too."""
    image = b"\x0a" + bytes([len(b"\x0a\x03img\x22\x02\x08\x01")]) + b"\x0a\x03img\x22\x02\x08\x01"
    events = [event(0, simple_value("loss", 2.5) + image, T0), event(1, simple_value("loss", 2.0), T0 + 1)]
    imported = read_path(event_file(tmp_path / "events.out.tfevents.1.x", events), tmp_path)
    assert imported.losses == [2.5, 2.0]
    assert imported.evidence.names() == ["loss"]


def test_our_reader_agrees_with_tensorboards_own(tmp_path):
    """Where the package is installed, both readers find the same numbers in the same file."""
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    path = event_file(
        tmp_path / "events.out.tfevents.1.x",
        [event(s, tensor_value("loss", 5.0 - s) + simple_value("lr", 0.5), T0 + s) for s in range(9)],
    )
    theirs = [event.step for event in loader.EventFileLoader(str(path)).Load() if event.summary.value]
    assert theirs == [step for step, _ in read_path(path, tmp_path).points()]


@pytest.mark.parametrize("modern", [False, True])
def test_wandb_run_file(modern, tmp_path):
    """Old files hold JSON text, new ones typed numbers; both name nested keys by their parts."""
    rows = [
        {"train/loss": 2.5, "optim.lr": 0.125, "_step": 0, "_timestamp": T0, "note": "x"},
        {"train/loss": 2.25, "optim.lr": 0.125, "_step": 10, "_timestamp": T0 + 1},
        {"val/loss": 2.75, "_step": 10, "_timestamp": T0 + 2},
    ]
    path = wandb_file(tmp_path / "wandb" / "run-abc.wandb", rows, {"lr": 0.125, "model": "tiny"}, modern)
    for place in (path, path.parent):
        imported = read_path(place, tmp_path)
        assert imported.result.format == "wandb-offline"
        assert imported.points() == [(0, 2.5), (10, 2.25)]
        assert imported.validation == [(10, 2.75)]
        assert imported.points("lr") == [(0, 0.125), (10, 0.125)]
        assert imported.run.manifest.settings["model"] == "tiny"


def test_wandb_records_over_several_blocks(tmp_path):
    """A record that does not fit into its block goes on in the next."""
    rows = [{"loss": 5.0 - i / 1000, "_step": i, "text": "x" * 700} for i in range(1000)]
    imported = read_path(wandb_file(tmp_path / "run.wandb", rows, {}), tmp_path)
    assert [step for step, _ in imported.points()] == list(range(1000))
    assert imported.result.unread == 0


def test_wandb_file_that_is_cut_off(tmp_path):
    """The service had no time to finish."""
    path = wandb_file(tmp_path / "run.wandb", [{"loss": 5.0 - i, "_step": i} for i in range(5)], {})
    path.write_bytes(path.read_bytes()[:-5])
    imported = read_path(path, tmp_path)
    assert imported.losses == [5.0, 4.0, 3.0, 2.0]
    assert imported.result.unread == 1


def test_mlflow_run_folder(tmp_path):
    """Metrics are files by name, parameters beside them are settings."""
    run = tmp_path / "mlruns" / "0" / "8d1f"
    (run / "metrics" / "train").mkdir(parents=True)
    (run / "params").mkdir()
    (run / "metrics" / "train" / "loss").write_text(
        "1600000000000 2.5 0\n1600000001000 nan 1\nbroken\n1600000002000 2.0 2\n"
    )
    (run / "metrics" / "val_loss").write_text("1600000001500 2.75 1\n")
    (run / "params" / "lr").write_text("0.001")
    imported = read_path(run, tmp_path)
    assert same(imported.losses, [2.5, math.nan, 2.0])
    assert imported.validation == [(1, 2.75)]
    assert imported.run.manifest.settings["lr"] == "0.001"
    assert imported.result.unread == 1
    assert imported.evidence.steps[0].time == T0


def test_mlflow_database(tmp_path):
    """Runs of a database are opened one by one; the last one started is the one that is meant."""
    path = mlflow_database(
        tmp_path / "mlflow.db",
        {
            "first": [("train/loss", 3.0, 0), ("train/loss", 2.0, 1)],
            "second": [("loss", 2.5, 0), ("loss", math.nan, 1), ("loss", math.inf, 2), ("val_loss", 2.75, 1)],
        },
    )
    assert [run.name for run in runs_in(path)] == ["second", "first"]
    imported = read_path(path, tmp_path)
    assert same(imported.losses, [2.5, math.nan, math.inf])
    assert imported.validation == [(1, 2.75)]
    assert imported.run.manifest.settings["lr"] == "0.001"
    assert imported.evidence.steps[0].time == T0
    assert open_run(path / "first").primary.series("loss").value.tolist() == [3.0, 2.0]
    with pytest.raises(LogError, match=r"no run 'third'; there are second, first"):
        open_run(path / "third")
    with pytest.raises(LogError, match=r"holds 2 logs \(second, first\); name one of them"):
        open_run(path)


def test_a_database_of_something_else_is_no_log(tmp_path):
    """A view in place of a table is not followed, and deleted runs are not read."""
    path = mlflow_database(tmp_path / "mlflow.db", {"gone": [("loss", 2.5, 0)], "kept": [("loss", 2.0, 0)]})
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = 'gone'")
    assert [run.name for run in runs_in(path)] == ["kept"]
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("ALTER TABLE metrics RENAME TO others")
        database.execute("CREATE VIEW metrics AS SELECT * FROM others")
    with pytest.raises(LogError, match="not a log of a known format"):
        read_path(path, tmp_path)


def test_an_event_file_without_scalars_says_so(tmp_path):
    """Profiles and graphs are event files as well."""
    path = event_file(tmp_path / "events.out.tfevents.1.x", [])
    with pytest.raises(LogError, match="no loss found"):
        read_path(path, tmp_path)


def test_a_length_out_of_all_proportion_ends_the_file(tmp_path):
    """A flipped bit in a length must not ask for terabytes."""
    path = event_file(tmp_path / "events.out.tfevents.1.x", [event(1, simple_value("loss", 2.5), T0)])
    path.write_bytes(path.read_bytes() + struct.pack("<Q", 1 << 60) + bytes(64))
    imported = read_path(path, tmp_path)
    assert imported.losses == [2.5]
    assert imported.result.unread == 1
