"""Text of known tools, typed as they print it."""

import math

from .logs import read, same


def test_megatron_missing_loss_is_nan(tmp_path):
    """Megatron leaves the field out when the average is NaN; a skipped iteration has no loss at all."""

    def line(step, loss, skipped=0):
        field = f" lm loss: {loss:.6E} |" if loss else ""
        return (
            f" iteration {step:8}/  9000 | consumed samples: {step * 64} | elapsed time per iteration"
            f" (ms): 80.1 |"
            f" learning rate: 6.000E-05 |{field} loss scale: 4096.0 | grad norm: 0.752 |"
            f" number of skipped iterations: {skipped:3} | number of nan iterations:   0 |\n"
        )

    imported = read(
        tmp_path, line(10, 7.5) + line(20, 7.25) + line(30, None, 1) + line(40, 7.0) + line(50, None)
    )
    assert same([value for _, value in imported.points()], [7.5, 7.25, 7.0, math.nan])
    assert imported.points("amp.skipped") == [(30, 1.0)]
    assert imported.points("amp.scale")[0] == (10, 4096.0)
    assert imported.points("grad.norm")[0] == (10, 0.752)


def test_megatron_torn_line_does_not_give_a_torn_number(tmp_path):
    """The last field of a line that was cut off may be half a number."""
    whole = " iteration {}/ 90 | learning rate: 6.0E-05 | lm loss: 7.5E+00 | grad norm: 0.752 |\n"
    imported = read(
        tmp_path, whole.format(1) + whole.format(2) + " iteration 3/ 90 | lm loss: 7.0E+00 | grad norm: 0.0"
    )
    assert imported.points()[-1] == (3, 7.0)
    assert [step for step, _ in imported.points("grad.norm")] == [1, 2]


def test_one_rank_of_several(tmp_path):
    """Ranks write into one log, each with its number in front; one of them is the run."""
    line = "[default{rank}]: iteration {step}/ 90 | lm loss: {loss}E+00 | learning rate: 1E-4 |\n"
    content = "".join(line.format(rank=r, step=s, loss=7 - s - r / 10) for s in (1, 2, 3) for r in (7, 3))
    imported = read(tmp_path, content)
    assert imported.points() == [(1, 6 - 0.7), (2, 5 - 0.7), (3, 4 - 0.7)]
    assert any("3 lines of other ranks" in note for note in imported.run.manifest.notes)


def test_hugging_face_console_takes_the_step_from_the_bar(tmp_path):
    """The dictionary has no step; bars of other work have a name or another total."""
    imported = read(
        tmp_path,
        "Map: 100%|##########| 900/900 [00:01<00:00, 800.00 examples/s]\n"
        "{'loss': 0.9, 'learning_rate': 2e-05, 'epoch': 0.1}\n"
        " 10%|#         | 100/1000 [00:10<01:30, 10.0it/s]\r 11%|#         | 110/1000 [00:11<01:29,"
        " 10.0it/s]\n"
        "{'loss': 0.8, 'learning_rate': 2e-05, 'epoch': 0.11}\n"
        "100%|##########| 20/20 [00:01<00:00, 20.0it/s]\n"
        "{'eval_loss': 0.85, 'eval_runtime': 1.0, 'epoch': 0.11}\n"
        " 12%|#         | 120/1000 [00:12<01:28, 10.0it/s]{'loss': 0.7, 'learning_rate': 2e-05, 'epoch':"
        " 0.12}\n"
        "{'train_runtime': 99.0, 'train_loss': 0.8, 'epoch': 0.12}\n",
    )
    assert imported.points() == [(100, 0.9), (110, 0.8), (120, 0.7)]
    assert imported.validation == [(110, 0.85)]


def test_hugging_face_console_without_bars_counts_rows(tmp_path):
    """Bars go to another stream than the dictionaries and may be missing."""
    imported = read(
        tmp_path,
        "{'loss': 0.2051, 'grad_norm': nan, 'learning_rate': 9e-06, 'epoch': 0.53}\n"
        "{'loss': 0.0, 'grad_norm': nan, 'learning_rate': 9e-06, 'epoch': 0.53}\n"
        "{'loss': '0.1', 'grad_norm': '1.5', 'learning_rate': '9e-06', 'epoch': '0.54'}\n",
    )
    assert same(imported.losses, [0.2051, math.nan, 0.1])
    assert [step for step, _ in imported.points()] == [0, 1, 2]
    assert imported.points("extra/log_loss") == [(1, 0.0)]


def test_nanogpt(tmp_path):
    """An evaluation has both losses, and its training loss is another one than that of the iterations."""
    imported = read(
        tmp_path,
        "step 0: train loss 4.28, val loss 4.27\niter 0: loss 4.26, time 21.1ms, mfu -100.00%\n"
        "2023-03-22 09:30:39 iter 10: loss 3.25, time 21.1ms, mfu 12.00%\nsaving checkpoint to out\n",
    )
    assert imported.points() == [(0, 4.26), (10, 3.25)]
    assert imported.validation == [(0, 4.27)]
    assert imported.points("train.loss", "eval") == [(0, 4.28)]
    assert imported.evidence.events_named("checkpoint.save")[0].data["path"] == "out"


def test_caffe_reads_solver_settings_and_the_test_net(tmp_path):
    """The solver's settings stand before the curve, a test loss below its iteration."""
    imported = read(
        tmp_path,
        "I0124 14:11:19.258646 16439 solver.cpp:48] Initializing solver from parameters: \n"
        'base_lr: 0.01\nlr_policy: "step"\nmomentum: 0.9\n'
        "I0124 14:11:20.1 16439 solver.cpp:337] Iteration 0, Testing net (#0)\n"
        "I0124 14:11:21.1 16439 solver.cpp:404]     Test net output #0: accuracy = 0.001\n"
        "I0124 14:11:21.1 16439 solver.cpp:404]     Test net output #1: loss = 7.03 (* 1 = 7.03 loss)\n"
        "I0124 14:11:22.1 16439 solver.cpp:237] Iteration 0, loss = 7.25\n"
        "I0124 14:11:22.1 16439 solver.cpp:253]     Train net output #0: loss = 7.5 (* 1 = 7.5 loss)\n"
        "I0124 14:11:22.1 16439 sgd_solver.cpp:106] Iteration 0, lr = 0.01\n"
        "I0124 14:11:29.1 16439 solver.cpp:237] Iteration 20 (3.1 iter/s, 6.4s/20 iters), loss = -nan\n",
    )
    assert same(imported.losses, [7.25, math.nan])
    assert imported.validation == [(0, 7.03)]
    assert imported.points("val.accuracy", "eval") == [(0, 0.001)]
    assert imported.points("lr") == [(0, 0.01)]
    settings = imported.run.manifest.settings
    assert (settings["base_lr"], settings["lr_policy"]) == ("0.01", "step")


def test_cyclegan_judges_the_generators(tmp_path):
    """Twelve losses have no total; the generators' objective is the sum of their terms."""
    line = (
        "(epoch: {}, iters: {}, time: 0.5, data: 0.2) D_A: 0.5 G_A: 0.25 cycle_A: 1.5 D_B: 0.5 G_B:"
        " 0.25 cycle_B: {}\n"
    )
    imported = read(tmp_path, line.format(1, 100, 1.0) + line.format(1, 200, 2.0) + line.format(2, 100, 3.0))
    assert imported.points() == [(100, 3.0), (200, 4.0), (300, 5.0)]
    assert imported.points("extra/part D_A") == [(100, 0.5), (200, 0.5), (300, 0.5)]


def test_mmengine_text_counts_over_epochs(tmp_path):
    """``[2][50/625]`` is iteration 675; validation has no iterations of its own."""
    head = "2022-01-01 10:00:00,000 - mmdet - INFO - "
    imported = read(
        tmp_path,
        f"{head}Epoch [1][600/625]\tlr: 1.978e-03, eta: 1:22:10, time: 0.6, memory: 3900, loss_cls: 0.8,"
        f" loss: 1.5\n"
        f"{head}Epoch(val) [1][500]\tbbox_mAP: 0.3, loss: 1.6\n"
        f"{head}Epoch [2][50/625]\tlr: 1.978e-03, eta: 1:22:10, time: 0.6, memory: 3900, loss_cls: 0.8,"
        f" loss: 1.25\n",
    )
    assert imported.points() == [(600, 1.5), (675, 1.25)]
    assert imported.validation == [(600, 1.6)]


def test_yolox_counts_over_epochs(tmp_path):
    """The iteration is that of the epoch, the total loss is named."""
    line = (
        "INFO | yolox.core.trainer:261 - epoch: {}/300, iter: {}/1000, mem: 4Mb, iter_time: 0.5s,"
        " total_loss: {}, iou_loss: 4.5, lr: 1.0e-03\n"
    )
    imported = read(tmp_path, line.format(1, 990, 16.5) + line.format(2, 10, 15.5))
    assert imported.points() == [(990, 16.5), (1010, 15.5)]


def test_fairseq_simple_new_and_old(tmp_path):
    """Inner lines and validation summaries, as two versions print them."""
    imported = read(
        tmp_path,
        "2021 | INFO | train_inner | epoch 001:    100 / 500 loss=9.5, nll_loss=9.25, num_updates=100,"
        " lr=1.2e-05, gnorm=2.5\n"
        "2021 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 8.5 | nll_loss 8.1 |"
        " num_updates 500\n"
        "| epoch 002:    100 / 500 loss=7.5, nll_loss=7.25, num_updates=600, lr=1.2e-05, gnorm=2.5\n",
    )
    assert imported.points() == [(100, 9.5), (600, 7.5)]
    assert imported.validation == [(500, 8.5)]


def test_boxes_of_stable_baselines(tmp_path):
    """One box is one point, counted in frames; groups name what stands below them."""
    box = (
        "------------------------------\n| rollout/           |       |\n|    ep_rew_mean     | 22.5  |\n"
        "| time/              |       |\n|    iterations      | {}     |\n|    total_timesteps | {}  |\n"
        "| train/             |       |\n|    loss            | {}   |\n|    value_loss      | 50.5  |\n"
        "------------------------------\n"
    )
    imported = read(tmp_path, box.format(1, 2048, 6.5) + box.format(2, 4096, 5.5))
    assert imported.points() == [(2048, 6.5), (4096, 5.5)]
    assert imported.points("extra/rollout/ep_rew_mean") == [(2048, 22.5), (4096, 22.5)]


def test_ultralytics_console(tmp_path):
    """A line an epoch, drawn again and again while the epoch runs; its last state counts."""
    imported = read(
        tmp_path,
        "      Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size\n"
        "      1/3      2.12G      2.0      3.0      1.0         45        640:  50%|#####     | 48/97\r"
        "      1/3      2.12G      1.5      2.5      1.0         45        640: 100%|##########| 97/97\n"
        "                 Class     Images  Instances      Box(P          R      mAP50\n"
        "                   all        128        929       0.64      0.537      0.605\n"
        "      2/3      2.12G      nan      nan      nan         45        640: 100%|##########| 97/97\n",
    )
    assert same(imported.losses, [5.0, math.nan])


def test_darknet_steps_are_no_ranks(tmp_path):
    """``7: 2.5, ...`` begins with the iteration."""
    imported = read(
        tmp_path,
        "".join(f" {i}: {9 - i}.5, 9.5 avg loss, 0.001 rate, 5.1 seconds, 64 images\n" for i in (1, 2, 3)),
    )
    assert imported.points() == [(1, 8.5), (2, 7.5), (3, 6.5)]
    assert imported.points("lr") == [(1, 0.001), (2, 0.001), (3, 0.001)]
