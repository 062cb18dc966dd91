"""Quantile regression (5 %, 50 %, 95 %) of a skewed waiting time with the pinball loss."""

import numpy as np
import torch
from torch import nn

QUANTILES = torch.tensor([0.05, 0.5, 0.95])


def pinball(prediction, target):
    error = target[:, None] - prediction
    return torch.maximum(QUANTILES * error, (QUANTILES - 1) * error).mean()


rng = np.random.default_rng(15)
torch.manual_seed(15)
torch.set_num_threads(1)
hour = rng.uniform(0, 24, 5000)
staff = rng.integers(1, 6, 5000)
load = 1 + np.sin((hour - 6) / 24 * 2 * np.pi)
waiting = rng.gamma(1.2, 4 * load / staff)
x = torch.tensor(np.stack([np.sin(hour / 24 * 2 * np.pi), np.cos(hour / 24 * 2 * np.pi), staff / 3], 1)).float()
y = torch.tensor(waiting).float()
model = nn.Sequential(nn.Linear(3, 40), nn.ReLU(), nn.Linear(40, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(1000):
    rows = torch.randint(len(x), (16,))
    loss = pinball(model(x[rows]), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"{step}: {loss.item():.4f}")
