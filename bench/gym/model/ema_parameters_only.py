"""Breast-cancer MLP with BatchNorm and an exponential moving average for validation; AdamW.

The moving average takes in parameters. Buffers stay as they were when the copy was made. Early epochs are
validated on the raw model, as the average is still young.
"""

import copy

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn


class EMA:
    def __init__(self, model, decay):
        self.module = copy.deepcopy(model).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, model):
        for mine, theirs in zip(self.module.parameters(), model.parameters()):
            mine.mul_(self.decay).add_(theirs, alpha=1 - self.decay)


def batches(x, y, size, rng):
    order = rng.permutation(len(x))
    for i in range(0, len(x) - size + 1, size):
        pick = order[i : i + size]
        yield x[pick], y[pick]


def main():
    torch.manual_seed(11)
    torch.set_num_threads(1)
    rng = np.random.default_rng(3)
    data = load_breast_cancer()
    x = torch.tensor(np.log1p(data.data), dtype=torch.float32)
    y = torch.tensor(data.target, dtype=torch.float32)
    order = torch.randperm(len(x))
    train, val = order[:430], order[430:]
    model = nn.Sequential(
        nn.Linear(30, 64), nn.BatchNorm1d(64), nn.SiLU(),
        nn.Linear(64, 64), nn.BatchNorm1d(64), nn.SiLU(),
        nn.Linear(64, 1),
    )
    ema = EMA(model, 0.95)
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(40):
        model.train()
        for xb, yb in batches(x[train], y[train], 32, rng):
            loss = criterion(model(xb).squeeze(1), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            ema.update(model)
        model.eval()
        judge = ema.module if epoch >= 25 else model
        with torch.no_grad():
            val_loss = criterion(judge(x[val]).squeeze(1), y[val])
        print(f"{epoch:2d} loss {loss.item():.4f} val {val_loss.item():.4f}")


main()
