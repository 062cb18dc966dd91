"""Digits, MLP with layer norm, Adam; the reader can be stopped and taken up in the middle of an epoch.

The arrays on disk are sorted by class, so the reader draws an order once and starts each epoch at another place of it.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(2)


class ResumableReader:
    def __init__(self, x, y, batch, seed=0):
        self.x, self.y, self.batch = x, y, batch
        self.rng = np.random.default_rng(seed)
        self.order = np.arange(len(x))
        self.position, self.epoch = 0, 0

    def begin(self):
        self.rng.shuffle(self.order)

    def next(self):
        if self.position >= len(self.order):
            self.order = np.roll(self.order, self.rng.integers(len(self.order)))
            self.position = 0
            self.epoch += 1
        rows = self.order[self.position : self.position + self.batch]
        self.position += self.batch
        return self.x[rows], self.y[rows]

    def state_dict(self):
        return {"position": self.position, "epoch": self.epoch}

    def load_state_dict(self, state):
        self.position, self.epoch = state["position"], state["epoch"]


def make_model():
    return nn.Sequential(
        nn.Linear(64, 96), nn.LayerNorm(96), nn.GELU(), nn.Linear(96, 96), nn.LayerNorm(96), nn.GELU(), nn.Linear(96, 10)
    )


def load():
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    hold = torch.arange(len(y)) % 6 == 0
    order = torch.argsort(y[~hold], stable=True)
    return x[~hold][order], y[~hold][order], x[hold], y[hold]


def part(steps, saved):
    x, y, vx, vy = load()
    model = make_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    reader = ResumableReader(x, y, 24, seed=8)
    done = 0
    if saved:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        reader.load_state_dict(saved["reader"])
        done = saved["steps"]
    else:
        reader.begin()
    losses, epoch = [], reader.epoch
    for step in range(done, done + steps):
        bx, by = reader.next()
        loss = nn.functional.cross_entropy(model(bx), by)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if reader.epoch != epoch or step == done + steps - 1:
            epoch = reader.epoch
            with torch.no_grad():
                out = model(vx)
            val = nn.functional.cross_entropy(out, vy).item()
            acc = (out.argmax(1) == vy).float().mean().item()
            print(f"step {step:4d} epoch {epoch:2d} loss {np.mean(losses):.3f} val {val:.3f} acc {acc:.3f}", flush=True)
            losses = []
    return {
        "model": {k: v.clone() for k, v in model.state_dict().items()},
        "optimizer": optimizer.state_dict(),
        "reader": reader.state_dict(),
        "steps": done + steps,
    }


saved = None
for steps in (389, 63 * 5):
    saved = part(steps, saved)
