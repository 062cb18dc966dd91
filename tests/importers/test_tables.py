"""Tables: any delimiter, any header, one loss chosen among many columns."""

import math

import pytest
from spikelore.probes.importers import LogError

from .logs import read, same


def test_lightning_keeps_training_and_validation_on_their_own_steps(tmp_path):
    """The two curves stand on different rows, and an empty cell there is no NaN."""
    imported = read(
        tmp_path,
        "epoch,step,train_loss_step,train_loss_epoch,val_loss,lr-AdamW\n"
        "0,49,0.9,,,\n,49,,,,0.001\n0,99,0.8,,,\n0,124,,0.85,0.7,\n1,149,0.6,,,\n1,249,,0.6,0.65,\n",
    )
    assert imported.points() == [(49, 0.9), (99, 0.8), (149, 0.6)]
    assert imported.validation == [(124, 0.7), (249, 0.65)]
    assert imported.points("lr") == [(49, 0.001)]
    assert imported.result.columns["loss"] == "train_loss_step"


def test_keras_unnamed_index_is_the_epoch(tmp_path):
    """A frame saved with its index has a first column without a name."""
    imported = read(tmp_path, ",loss,accuracy,val_loss,val_accuracy\n0,2.1,0.2,2.2,0.2\n1,1.5,0.4,1.7,0.35\n")
    assert imported.points() == [(0, 2.1), (1, 1.5)]
    assert imported.points("val.accuracy", "eval") == [(0, 0.2), (1, 0.35)]
    assert imported.evidence.series("loss").epoch.tolist() == [0.0, 1.0]
    assert imported.result.unit == "epoch"


def test_ultralytics_loss_is_the_sum_of_its_parts(tmp_path):
    """There is no total, and a jump of any part has to show."""
    imported = read(
        tmp_path,
        "   epoch,  train/box_loss,  train/cls_loss,  train/dfl_loss,  val/box_loss,  val/cls_loss, "
        " val/dfl_loss,  lr/pg0\n"
        "       1,             1.5,             2.5,             1.0,           1.4,           2.4,     "
        "      0.9,   0.003\n"
        "       2,             1.2,             1.5,             nan,           1.1,           1.4,     "
        "      0.8,   0.006\n",
    )
    assert same(imported.losses, [5.0, math.nan])
    assert same([value for _, value in imported.validation], [4.7, 3.3])
    assert imported.points("extra/train/cls_loss") == [(1, 2.5), (2, 1.5)]
    assert imported.points("lr") == [(1, 0.003), (2, 0.006)]
    assert imported.result.columns["loss"] == "train/box_loss + train/cls_loss + train/dfl_loss"


def test_algoperf_keeps_the_evaluated_training_loss_apart(tmp_path):
    """The batches' loss and the loss of averaged weights on the same data are two curves."""
    rows = "".join(f"{step},{3 - step / 1000},0.5,,,,\n" for step in range(0, 1000, 100))
    imported = read(
        tmp_path,
        "global_step,loss,grad_norm,train/ctc_loss,validation/ctc_loss,score,preemption_count\n"
        f"{rows}1000,,,2.0,2.1,58.6,0\n",
    )
    assert len(imported.losses) == 10
    assert imported.points("train.loss", "eval") == [(1000, 2.0)]
    assert imported.validation == [(1000, 2.1)]


def test_algoperf_takes_the_evaluated_loss_where_batches_stop_early(tmp_path):
    """A harness that logs only the first batches leaves the evaluations as the only curve of the run."""
    batches = "".join(f"{step},6.9,,,0\n" for step in range(5))
    evaluations = "".join(f"{1000 * step},,{7 - step / 3},{7 - step / 4},0\n" for step in range(1, 14))
    imported = read(
        tmp_path, f"global_step,loss,train/loss,validation/loss,preemption_count\n{batches}{evaluations}"
    )
    assert imported.result.columns["loss"] == "train/loss"
    assert len(imported.losses) == 13


@pytest.mark.parametrize("delimiter", [",", "\t", ";", " ", "|"])
def test_any_delimiter(delimiter, tmp_path):
    """The delimiter is found from the rows, not from the file's name."""
    lines = [["step", "loss", "lr"], ["1", "2.5", "0.1"], ["2", "2.25", "0.1"]]
    imported = read(tmp_path, "".join(delimiter.join(line) + "\n" for line in lines))
    assert imported.points() == [(1, 2.5), (2, 2.25)]


def test_markdown_table(tmp_path):
    """Tables pasted into an issue keep their pipes and their rule."""
    imported = read(
        tmp_path, "| Epoch | Train Loss | Val Loss |\n|---|:--:|---|\n| 1 | 0.9 | 1.0 |\n| 2 | 0.8 | 0.9 |\n"
    )
    assert imported.points() == [(1, 0.9), (2, 0.8)]
    assert imported.validation == [(1, 1.0), (2, 0.9)]


def test_duplicate_and_unnamed_headers_are_kept_apart(tmp_path):
    """The first of two equal names is the quantity, the second an extra."""
    imported = read(tmp_path, "step,loss,loss,,lr\n1,2.0,9.0,7,0.1\n2,1.0,9.5,8,0.1\n")
    assert imported.losses == [2.0, 1.0]
    assert imported.points("extra/loss.1") == [(1, 9.0), (2, 9.5)]
    assert imported.points("extra/#3") == [(1, 7.0), (2, 8.0)]


def test_header_that_comes_again_with_more_columns(tmp_path):
    """The OpenAI logger writes the header anew when a quantity appears."""
    imported = read(
        tmp_path, "step,loss,samples\n1,3.0,10\n2,2.5,20\nstep,loss,samples,grad_norm\n3,2.0,30,0.5\n"
    )
    assert imported.losses == [3.0, 2.5, 2.0]
    assert imported.points("grad.norm") == [(3, 0.5)]
    assert imported.result.unread == 0


def test_a_row_that_does_not_fit_is_counted(tmp_path):
    """A row with cells too many has shifted columns: its numbers would be lies."""
    imported = read(tmp_path, "step,loss,lr\n1,2.0,0.1\n2,2.0,7,8,9\n3,1.5,0.1\n")
    assert imported.points() == [(1, 2.0), (3, 1.5)]
    assert imported.result.unread == 1
    assert imported.result.examples == [("line 3", "2,2.0,7,8,9")]


def test_a_cell_of_a_known_quantity_that_is_no_number_is_counted(tmp_path):
    """A loss that cannot be read is told, a text column is not."""
    imported = read(tmp_path, "step,loss,host\n1,2.0,alpha\n2,broken,alpha\n3,1.5,alpha\n")
    assert imported.result.unread == 1
    assert imported.result.examples == [("line 3", "loss = 'broken'")]


def test_numbers_with_ornaments(tmp_path):
    """Scripts write tensors, groups of digits and quoted numbers."""
    imported = read(tmp_path, 'step;loss;lr\n"1";"1,234.5";0.1\n2;tensor(0.75);0.1\n3; 0.5 ;1e-1\n')
    assert imported.losses == [1234.5, 0.75, 0.5]


def test_a_mapping_names_the_columns(tmp_path):
    """Names that tell nothing are told by the user, and the choice by name gives way."""
    content = "t,a,b,loss\n10,1.0,2.0,9\n20,1.5,2.5,9\n"
    imported = read(tmp_path, content, mapping={"loss": "b", "step": "t", "val.loss": "a"})
    assert imported.points() == [(10, 2.0), (20, 2.5)]
    assert imported.validation == [(10, 1.0), (20, 1.5)]


def test_a_table_without_header_needs_a_mapping(tmp_path):
    """Two columns of numbers may be anything; by number they can be named."""
    content = "0 2.5\n1 2.25\n2 2.0\n"
    with pytest.raises(LogError, match="--map"):
        read(tmp_path, content)
    imported = read(tmp_path, content, mapping={"step": "0", "loss": "1"})
    assert imported.points() == [(0, 2.5), (1, 2.25), (2, 2.0)]


def test_an_unknown_column_is_named_with_the_valid_ones(tmp_path):
    """The error is one line with what could have been meant."""
    with pytest.raises(LogError, match=r"no column 'x'; columns with numbers: .*train_ce") as caught:
        read(tmp_path, "step,train_ce\n1,2\n2,3\n", mapping={"loss": "x"})
    assert "\n" not in str(caught.value)


def test_exported_chart_of_weights_and_biases(tmp_path):
    """The run's name in front and the spread behind are the chart's, not the quantity's."""
    imported = read(
        tmp_path,
        '"train/global_step","warm-sun-7 - train/loss","warm-sun-7 - train/loss__MIN","warm-sun-7 -'
        ' train/loss__MAX"\n'
        '"10","2.5","2.5","2.5"\n"20","2.25","2.25","2.25"\n',
    )
    assert imported.points() == [(10, 2.5), (20, 2.25)]


def test_chinese_headers(tmp_path):
    """The product has users who name their columns in Chinese."""
    imported = read(tmp_path, "轮次,训练损失,验证损失,学习率\n1,0.95,0.98,0.001\n2,0.85,0.88,0.001\n")
    assert imported.points() == [(1, 0.95), (2, 0.85)]
    assert imported.validation == [(1, 0.98), (2, 0.88)]
    assert imported.points("lr") == [(1, 0.001), (2, 0.001)]
