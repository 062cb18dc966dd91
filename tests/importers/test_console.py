"""Prints of training scripts, as people write them."""

import math

import pytest
from spikelore.probes.importers.prose import tokens

from .logs import read, same

NAN = math.nan

STYLES = {
    "plain": ("step 100, loss 0.5, lr 0.001\nstep 200, loss 0.25, lr 0.001\n", [(100, 0.5), (200, 0.25)], []),
    "equals": (
        "epoch=1 train_loss=0.5 val_loss=0.75\nepoch=2 train_loss=0.25 val_loss=0.5\n",
        [(1, 0.5), (2, 0.25)],
        [(1, 0.75), (2, 0.5)],
    ),
    "tensors": (
        (
            "Iteration 0, Loss: tensor(2.5, device='cuda:0', grad_fn=<NllLossBackward0>)\n"
            "Iteration 10, Loss: tensor(nan, device='cuda:0', grad_fn=<NllLossBackward0>)\n"
        ),
        [(0, 2.5), (10, NAN)],
        [],
    ),
    "epoch in brackets": (
        "Epoch [1/5], Step [100/600], Loss: 0.5\nEpoch [2/5], Step [100/600], Loss: 0.25\n",
        [(100, 0.5), (700, 0.25)],
        [],
    ),
    "tutorial pair": ("[1,  2000] loss: 2.25\n[2,  2000] loss: 1.5\n", [(2000, 2.25), (4000, 1.5)], []),
    "log prefix": (
        (
            "2021-01-01 10:00:00,123 INFO Epoch 1, Batch 100/500: loss = 0.5 (avg 0.6)\n"
            "2021-01-01 10:00:10,123 INFO Epoch 2, Batch 100/500: loss = 0.25 (avg 0.5)\n"
        ),
        [(100, 0.5), (600, 0.25)],
        [],
    ),
    "imagenet": (
        (
            "Epoch: [0][  10/500]\tTime  0.5 ( 0.6)\tLoss 6.5e+00 (7.0e+00)\tAcc@1   0.00 (  0.10)\n"
            "Test: [  0/20]\tTime  0.5 ( 0.6)\tLoss 6.0 (6.0)\tAcc@1   1.00 (  1.00)\n"
            "Test: [ 10/20]\tTime  0.5 ( 0.6)\tLoss 7.0 (6.5)\tAcc@1   3.00 (  2.00)\n"
            "Epoch: [1][  10/500]\tTime  0.5 ( 0.6)\tLoss 5.5e+00 (7.0e+00)\tAcc@1   0.00 (  0.10)\n"
        ),
        [(10, 6.5), (510, 5.5)],
        [(10, 6.5)],
    ),
    "mnist": (
        (
            "Train Epoch: 1 [0/600 (0%)]\tLoss: 2.5\nTrain Epoch: 1 [64/600 (11%)]\tLoss: 2.25\n"
            "Test set: Average loss: 0.5, Accuracy: 98/100 (98%)\nTrain Epoch: 2 [0/600 (0%)]\tLoss: 0.25\n"
        ),
        [(0, 2.5), (64, 2.25), (600, 0.25)],
        [(64, 0.5)],
    ),
    "keras": (
        (
            "Epoch 1/2\n15/15 [==============================] - 4s 2ms/step - loss: 0.5 - accuracy: 0.9 -"
            " val_loss: 0.75\n"
            "Epoch 2/2\n15/15 [==============================] - 4s 2ms/step - loss: 0.25 - accuracy: 0.9 -"
            " val_loss: 0.5\n"
        ),
        [(15, 0.5), (30, 0.25)],
        [(15, 0.75), (30, 0.5)],
    ),
    "lightning bar": (
        (
            "\rEpoch 0:  45%|####      | 45/100 [00:12<00:14,  3.75it/s, loss=0.5, v_num=0]"
            "\rEpoch 1:  45%|####      | 45/100 [00:12<00:14,  3.75it/s, loss=0.25, v_num=0]\n"
        ),
        [(45, 0.5), (145, 0.25)],
        [],
    ),
    "diffusers bar": (
        (
            "Steps:   1%|          | 10/1000 [01:00<09:00,  1.67it/s, lr=1e-5, step_loss=0.5]"
            "\rSteps:   2%|          | 20/1000 [01:00<09:00,  1.67it/s, lr=1e-5, step_loss=0.25]\n"
        ),
        [(10, 0.5), (20, 0.25)],
        [],
    ),
    "sections": (
        (
            "Epoch 1: Train: loss 0.5 acc 0.5 | Val: loss 0.75 acc 0.5\n"
            "Epoch 2: Train: loss 0.25 acc 0.6 | Val: loss 0.5 acc 0.5\n"
        ),
        [(1, 0.5), (2, 0.25)],
        [(1, 0.75), (2, 0.5)],
    ),
    "phases": (
        (
            "Epoch 0/24\n----------\ntrain Loss: 0.5 Acc: 0.75\nval Loss: 0.25 Acc: 0.9\n\n"
            "Epoch 1/24\n----------\ntrain Loss: 0.4 Acc: 0.8\nval Loss: 0.2 Acc: 0.9\n"
        ),
        [(0, 0.5), (1, 0.4)],
        [(0, 0.25), (1, 0.2)],
    ),
    "counter above": (
        (
            "[step=1/99]\n    train/CrossEntropyLoss=11.5\n    optim/total_grad_norm=8.5\n"
            "[step=2/99]\n    train/CrossEntropyLoss=11.25\n    optim/total_grad_norm=7.5\n"
        ),
        [(1, 11.5), (2, 11.25)],
        [],
    ),
    "estimator": (
        (
            "INFO:tensorflow:loss = 2.5, step = 100 (1.234 sec)\nINFO:tensorflow:global_step/sec: 100.5\n"
            "INFO:tensorflow:Saving dict for global step 100: accuracy = 0.9, global_step = 100, loss ="
            " 1.25\n"
            "INFO:tensorflow:loss = 1.5, step = 200 (1.234 sec)\n"
        ),
        [(100, 2.5), (200, 1.5)],
        [(100, 1.25)],
    ),
    "detectron2": (
        (
            "[06/01 10:00:00 d2.utils.events]:  eta: 0:12:03  iter: 19  total_loss: 4.5  loss_cls: 3.2  lr:"
            " 4.9e-06\n"
            "[06/01 10:00:10 d2.utils.events]:  eta: 0:12:03  iter: 39  total_loss: 3.5  loss_cls: 2.2  lr:"
            " 9.9e-06\n"
        ),
        [(19, 4.5), (39, 3.5)],
        [],
    ),
    "step behind the name": (
        (
            "Train loss 0 45.5 Grad Norm 12.5 2.34s/it\nValidation loss 0:  39.5\nTrain loss 1 40.5 Grad"
            " Norm 10.5 2.34s/it\n"
        ),
        [(0, 45.5), (1, 40.5)],
        [(0, 39.5)],
    ),
    "parts": (
        (
            "Epoch: 0 | Iteration: 0 | Classification loss: 1.5 | Regression loss: 1.0 | Running loss: 2.0\n"
            "Epoch: 0 | Iteration: 1 | Classification loss: 1.25 | Regression loss: 0.5 | Running loss: 2.0\n"
        ),
        [(0, 2.5), (1, 1.75)],
        [],
    ),
    "gan": (
        (
            "[Epoch 1/5] [Batch 10/938] [D loss: 0.75] [G loss: 0.5]\n[Epoch 1/5] [Batch 20/938] [D loss:"
            " 0.5] [G loss: 0.25]\n"
        ),
        [(10, 0.5), (20, 0.25)],
        [],
    ),
    "chinese": (
        "第1轮 训练损失: 0.5 验证损失: 0.75 准确率: 0.5\n第2轮 训练损失: 0.25 验证损失: 0.5 准确率: 0.6\n",
        [(1, 0.5), (2, 0.25)],
        [(1, 0.75), (2, 0.5)],
    ),
    "epoch last": (
        "loss: 0.5 acc: 0.1 epoch: 0\nloss: inf acc: 0.4 epoch: 1\n",
        [(0, 0.5), (1, math.inf)],
        [],
    ),
    "negative": ("epoch 0 loss: -1.25\nepoch 1 loss: -2.5e-08\n", [(0, -1.25), (1, -2.5e-08)], []),
}


@pytest.mark.parametrize("style", STYLES)
def test_style(style, tmp_path):
    """Step, training loss and validation loss are read off the print as a person would."""
    content, train, validation = STYLES[style]
    imported = read(tmp_path, content)
    assert [step for step, _ in imported.points()] == [step for step, _ in train]
    assert same(imported.losses, [loss for _, loss in train])
    assert [step for step, _ in imported.validation] == [step for step, _ in validation]
    assert same([loss for _, loss in imported.validation], [loss for _, loss in validation])
    assert imported.result.segments == []


def test_times_and_rates_are_no_values():
    """Durations, dates, rates and places in code are the noise of a log."""
    found = tokens(
        "[2021-01-01 10:00:00 job](main.py 190): eta 1 day, 2:00:00 loss 0.5 (0.75) 12.5it/s 3.2ms mem 4GB"
    )
    assert [(token.name, token.value) for token in found] == [("loss", 0.5)]


def test_settings_and_early_stopping_are_no_points(tmp_path):
    """A configuration names rates and epochs, early stopping an infinite loss: none of it happened."""
    imported = read(
        tmp_path,
        "Namespace(lr=0.1, epochs=100, loss_weight=1.0)\nlr: 0.1\nepochs: 100\n"
        "Epoch 1 train loss: 0.5 val loss: 1.0 lr: 1e-06\n"
        "Validation loss decreased (inf --> 1.000000).  Saving model ...\n"
        "Epoch 00001: val_loss improved from inf to 1.00000, saving model to best.h5\n"
        "Epoch 2 train loss: 0.25 val loss: 0.75 lr: 2e-06\n",
    )
    assert imported.points() == [(1, 0.5), (2, 0.25)]
    assert imported.validation == [(1, 1.0), (2, 0.75)]
    assert imported.points("lr") == [(1, 1e-06), (2, 2e-06)]
    assert imported.evidence.events_named("checkpoint.save")[0].data["path"] == "best.h5"


def test_ansi_colours_are_ignored(tmp_path):
    """Terminals colour their numbers."""
    imported = read(
        tmp_path, "\x1b[31mstep:  1  \x1b[32mloss:  8.5\x1b[0m\n\x1b[31mstep:  2  \x1b[32mloss:  7.5\x1b[0m\n"
    )
    assert imported.points() == [(1, 8.5), (2, 7.5)]


def test_what_a_log_says_beside_the_curve(tmp_path):
    """Memory, device and checkpoint messages are evidence of their own."""
    imported = read(
        tmp_path,
        "step 1 loss 2.5\nSaved checkpoint to /ckpt/1.pt\nstep 2 loss 2.25\n"
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n"
        "NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.\n"
        "Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to 32768.0\nstep 3 loss 9.5\n",
    )
    events = imported.evidence.events
    assert [event.name for event in events] == ["checkpoint.save", "oom", "system", "amp.skipped"]
    assert [event.step for event in events] == [1, 2, 2, 2]
    assert events[0].data["path"] == "/ckpt/1.pt"
    assert events[2].data["kind"] == "xid"
