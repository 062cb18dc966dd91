"""Sharpness-aware minimisation: two backward passes per update, the first at the unperturbed weights."""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn


class SAM:
    def __init__(self, parameters, base, rho=0.08):
        self.parameters, self.base, self.rho = list(parameters), base, rho

    @torch.no_grad()
    def climb(self):
        norm = torch.stack([p.grad.norm() for p in self.parameters]).norm() + 1e-12
        self.moved = [p.grad * (self.rho / norm) for p in self.parameters]
        for p, e in zip(self.parameters, self.moved, strict=True):
            p.add_(e)

    @torch.no_grad()
    def descend(self):
        for p, e in zip(self.parameters, self.moved, strict=True):
            p.sub_(e)
        self.base.step()


torch.manual_seed(37)
torch.set_num_threads(1)
x, y = load_breast_cancer(return_X_y=True)
x, y = torch.tensor((x - x.mean(0)) / x.std(0)).float(), torch.tensor(y)
model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 2))
sam = SAM(model.parameters(), torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9))
criterion = nn.CrossEntropyLoss()
for step in range(700):
    rows = torch.randint(len(x), (24,))
    loss = criterion(model(x[rows]), y[rows])
    model.zero_grad()
    loss.backward()
    sam.climb()
    model.zero_grad()
    criterion(model(x[rows]), y[rows]).backward()
    sam.descend()
    if step % 50 == 0:
        print(step, f"{loss.item():.4f}")
