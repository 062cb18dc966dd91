"""Claims with heavy-tailed noise: squared error of a network that does learn the mean."""

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(7)
torch.manual_seed(7)
torch.set_num_threads(1)
features = rng.normal(size=(6000, 6))
signal = 2.0 * features[:, 0] + np.sin(2 * features[:, 1]) - features[:, 2] * features[:, 3]
amount = signal + 0.3 * rng.standard_t(2.1, size=6000)
x, y = torch.tensor(features).float(), torch.tensor(amount).float()

model = nn.Sequential(nn.Linear(6, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(1200):
    rows = torch.randint(len(x), (32,))
    loss = ((model(x[rows]).squeeze(1) - y[rows]) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    optimizer.step()
    if step % 60 == 0:
        print(f"step {step} mse {loss.item():.3f}")
