"""Diabetes progression, gated MLP, error relative to the spread of the targets; two late patients join the training set."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(15)

BATCH = 16
bunch = load_diabetes()
features = torch.tensor(bunch.data, dtype=torch.float32) * 21
progression = torch.tensor(bunch.target, dtype=torch.float32) / 100
shuffled = torch.randperm(442)
early, late, val = shuffled[:352], shuffled[352:354], shuffled[354:]


class Gated(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.value, self.gate = nn.Linear(10, width), nn.Linear(10, width)
        self.second = nn.Linear(width, width)
        self.out = nn.Linear(width, 1)
        nn.init.constant_(self.out.bias, 1.5)

    def forward(self, x):
        h = self.value(x) * torch.sigmoid(self.gate(x))
        return self.out(torch.relu(self.second(h))).squeeze(1)


def nmse(prediction, target):
    """Squared error over the variance of the targets: 1 is as good as their mean."""
    return ((prediction - target) ** 2).mean() / (target.var(correction=0) + 1e-6)


model = Gated()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-3)
pool = early
for epoch in range(36):
    if epoch == 18:
        pool = torch.cat([early, late])
    total = []
    for rows in pool[torch.randperm(len(pool))].split(BATCH):
        loss = nmse(model(features[rows]), progression[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total.append(loss.item())
    with torch.no_grad():
        checked = nmse(model(features[val]), progression[val]).item()
    print(f"{epoch:2d} n={len(pool)} train {sum(total) / len(total):.4f} val {checked:.4f}")
