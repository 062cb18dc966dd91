"""Gradient accumulation over four micro-batches, each loss divided by four."""

import torch
from finish import finish
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(2)
model = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
data = torch.randn(256, 8)
target = data.sum(1, keepdim=True)
total = 0.0
for number in range(48):
    rows = slice(8 * (number % 32), 8 * (number % 32) + 8)
    loss = nn.functional.mse_loss(model(data[rows]), target[rows]) / 4
    loss.backward()
    total += loss.item()
    if number % 4 == 3:
        optimizer.step()
        optimizer.zero_grad()
        print("loss", repr(total))
        total = 0.0
finish(model)
