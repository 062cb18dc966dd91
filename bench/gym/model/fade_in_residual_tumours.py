"""Deep residual classifier of tumours (breast cancer data), with a learnt gain on every branch.

Branches are faded in while training goes on, so that it starts from a linear model.
"""

from dataclasses import dataclass

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn


@dataclass
class Settings:
    width: int = 48
    depth: int = 8
    epochs: int = 50
    batch: int = 32
    lr: float = 5e-4
    fade_start: float = 0.02
    fade_growth: float = 1.01
    gain: float = 0.5


class Branch(nn.Module):
    def __init__(self, width, gain):
        super().__init__()
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, x, fade):
        return x + fade * self.gain * self.down(nn.functional.gelu(self.up(x)))


class Classifier(nn.Module):
    def __init__(self, columns, s):
        super().__init__()
        self.stem = nn.Linear(columns, s.width)
        self.branches = nn.ModuleList([Branch(s.width, s.gain) for _ in range(s.depth)])
        self.out = nn.Linear(s.width, 1)
        self.fade = s.fade_start

    def forward(self, x):
        h = self.stem(x)
        for b in self.branches:
            h = b(h, self.fade)
        return self.out(h).squeeze(1)


def data():
    x, y = load_breast_cancer(return_X_y=True)
    x = torch.tensor(StandardScaler().fit_transform(x), dtype=torch.float32)
    y = torch.tensor(y, dtype=torch.float32)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(3))
    return x[order[:450]], y[order[:450]], x[order[450:]], y[order[450:]]


def run(s):
    torch.manual_seed(15)
    torch.set_num_threads(1)
    x, y, vx, vy = data()
    net = Classifier(x.shape[1], s)
    opt = torch.optim.AdamW(net.parameters(), lr=s.lr, weight_decay=0.02)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(s.epochs):
        total = 0.0
        net.train()
        for rows in torch.randperm(len(y)).split(s.batch):
            noisy = x[rows] + 0.3 * torch.randn(len(rows), x.shape[1])
            loss = loss_fn(net(noisy), y[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
            net.fade *= s.fade_growth
            total += loss.item() * len(rows)
        net.eval()
        with torch.no_grad():
            v = loss_fn(net(vx), vy).item()
        print(f"epoch {epoch:2d} fade {net.fade:.2f} train {total / len(y):.4f} val {v:.4f}")


run(Settings())
