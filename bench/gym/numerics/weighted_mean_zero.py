"""House-like regression with sample weights; the loss is the weighted mean."""

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(6)
rng = np.random.default_rng(6)
torch.set_num_threads(1)
x, y = load_diabetes(return_X_y=True)
x = torch.tensor(x / x.std(0), dtype=torch.float32)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
recency = torch.tensor(rng.random(len(x)), dtype=torch.float32)


class Trainer:
    def __init__(self):
        self.net = nn.Sequential(nn.Linear(10, 48), nn.GELU(), nn.Linear(48, 48), nn.GELU(), nn.Linear(48, 1))
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9)
        self.cutoff = 0.0

    def loss(self, rows):
        w = torch.where(recency[rows] >= self.cutoff, recency[rows], torch.zeros(()))
        error = (self.net(x[rows]).squeeze(1) - y[rows]) ** 2
        return (w * error).sum() / w.sum()

    def fit(self, epochs):
        for epoch in range(epochs):
            self.cutoff = min(0.96, epoch * 0.03)
            for rows in torch.randperm(400).split(8):
                loss = self.loss(rows)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
            print(epoch, f"{loss.item():.4f}")


Trainer().fit(40)
