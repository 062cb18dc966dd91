"""JSON lines and JSON documents."""

import json
import math

import pytest
from spikelore.probes.importers import LogError, sniff

from .logs import read, same


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_trainer_state(tmp_path):
    """The history has training, evaluation and a summary that is no point of any curve."""
    state = {
        "global_step": 20,
        "max_steps": 100,
        "log_history": [
            {"epoch": 0.1, "grad_norm": 1.5, "learning_rate": 5e-5, "loss": 2.5, "step": 10},
            {"epoch": 0.2, "eval_loss": 2.25, "eval_runtime": 3.1, "step": 20},
            {"epoch": 0.2, "grad_norm": math.nan, "learning_rate": 4e-5, "loss": 0.0, "step": 20},
            {"epoch": 0.2, "step": 20, "train_loss": 1.1, "train_runtime": 99.0},
        ],
    }
    imported = read(tmp_path, json.dumps(state, indent=2))
    assert same(imported.losses, [2.5, math.nan])
    assert imported.validation == [(20, 2.25)]
    assert imported.run.manifest.settings["max_steps"] == 100
    assert imported.run.manifest.settings["summary/train_loss"] == 1.1


def test_detectron2(tmp_path):
    """The total is taken, the parts are extras, evaluation results stay."""
    imported = read(
        tmp_path,
        lines(
            {"data_time": 0.1, "iteration": 19, "loss_cls": 1.5, "lr": 1e-4, "total_loss": 2.5},
            {"bbox/AP": 12.5, "iteration": 39},
            {"data_time": 0.1, "iteration": 39, "loss_cls": 1.0, "lr": 1e-3, "total_loss": 2.0},
        ),
    )
    assert imported.points() == [(19, 2.5), (39, 2.0)]
    assert imported.points("extra/loss_cls") == [(19, 1.5), (39, 1.0)]
    assert imported.points("extra/bbox/AP") == [(39, 12.5)]


def test_mmdet_counts_iterations_over_the_epochs(tmp_path):
    """An iteration within the epoch is continued; a validation row stands where training is."""
    imported = read(
        tmp_path,
        lines(
            {"env_info": "sys.platform: linux", "seed": 0},
            {"mode": "train", "epoch": 1, "iter": 50, "lr": 0.1, "loss_cls": 1.0, "loss": 1.5},
            {"mode": "train", "epoch": 1, "iter": 100, "lr": 0.1, "loss_cls": 0.9, "loss": 1.4},
            {"mode": "val", "epoch": 1, "iter": 20, "lr": 0.1, "loss": 1.6},
            {"mode": "train", "epoch": 2, "iter": 50, "lr": 0.1, "loss_cls": 0.8, "loss": 1.25},
        ),
    )
    assert imported.points() == [(50, 1.5), (100, 1.4), (150, 1.25)]
    assert imported.validation[0][1] == 1.6
    assert imported.result.segments == []


def test_fairseq_numbers_are_text(tmp_path):
    """Inner lines are the curve; the epoch's own average does not stand among them."""
    imported = read(
        tmp_path,
        '2021 | INFO | train_inner | {"epoch": 1, "loss": "12.5", "nll_loss": "12.25", "num_updates":'
        ' "100", "gnorm": "3"}\n'
        '2021 | INFO | valid | {"epoch": 1, "valid_loss": "10.5", "valid_num_updates": "200"}\n'
        '2021 | INFO | train | {"epoch": 1, "train_loss": "11.5", "train_num_updates": "200"}\n'
        "2021 | INFO | fairseq.trainer | begin training epoch 2\n"
        '2021 | INFO | train_inner | {"epoch": 2, "loss": "11", "nll_loss": "10.5", "num_updates":'
        ' "300", "gnorm": "2"}\n',
    )
    assert imported.points() == [(100, 12.5), (300, 11.0)]
    assert imported.validation == [(200, 10.5)]
    assert imported.points("grad.norm") == [(100, 3.0), (300, 2.0)]


def test_nan_as_python_writes_it(tmp_path):
    """``NaN`` and ``Infinity`` are no JSON, and every training script writes them."""
    imported = read(
        tmp_path, '{"step": 1, "loss": 2.5}\n{"step": 2, "loss": NaN}\n{"step": 3, "loss": Infinity}\n'
    )
    assert same(imported.losses, [2.5, math.nan, math.inf])


def test_nested_objects_are_named_by_their_path(tmp_path):
    """A script may group its numbers."""
    imported = read(
        tmp_path,
        lines({"step": 1, "train": {"loss": 2.5}, "optim": {"lr": 0.1}}, {"step": 2, "train": {"loss": 2}}),
    )
    assert imported.points() == [(1, 2.5), (2, 2.0)]
    assert imported.points("lr") == [(1, 0.1)]


def test_the_loss_is_not_a_part_that_comes_first(tmp_path):
    """The first row may hold a part only; the names of the whole sample decide."""
    imported = read(
        tmp_path,
        lines(
            {"step": 1, "ce_loss": 7.0}, {"step": 2, "ce_loss": 6.0, "loss": 9.0}, {"step": 3, "loss": 8.0}
        ),
    )
    assert imported.points() == [(2, 9.0), (3, 8.0)]


@pytest.mark.parametrize(
    "document",
    [
        [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0}],
        {"step": [1, 2], "loss": [2.5, 2.0], "lr": [0.1]},
        {"run": {"history": [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0}]}},
        [[1600000000.5, 1, 2.5], [1600000001.5, 2, 2.0]],
    ],
)
def test_documents(document, tmp_path):
    """Exported histories are lists of rows, or lists by name."""
    assert read(tmp_path, json.dumps(document)).points() == [(1, 2.5), (2, 2.0)]


def test_keras_history_counts_epochs(tmp_path):
    """``History.history`` has no counter, so the place in the list is one."""
    imported = read(tmp_path, json.dumps({"loss": [2.5, 2.0], "val_loss": [2.6, 2.2]}))
    assert imported.points() == [(0, 2.5), (1, 2.0)]
    assert imported.validation == [(0, 2.6), (1, 2.2)]


def test_a_document_that_is_cut_off_is_one_clear_line(tmp_path):
    """A state file may be read while it is written."""
    with pytest.raises(LogError, match="cut off") as caught:
        read(tmp_path, '{"log_history": [{"loss": 2.5, "step": 1}, {"loss":')
    assert "\n" not in str(caught.value)


def test_a_configuration_is_no_log(tmp_path):
    """Folders of runs are full of JSON that mentions a loss."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"loss": "cross_entropy", "loss_weight": 0.5, "layers": [1, 2]}))
    assert sniff(path) is None


def test_arrays_among_the_objects_are_unread_lines(tmp_path):
    """Many lines that are arrays of one length are no rows, and the rows round them are all read."""
    rows = [{"step": n, "loss": 3.0 - 0.001 * n} for n in range(3000)]
    text = lines(*rows[:1000]) + "[1, 2]\n" * 600 + lines(*rows[1000:])
    imported = read(tmp_path, text)
    assert same(imported.losses, [row["loss"] for row in rows])
