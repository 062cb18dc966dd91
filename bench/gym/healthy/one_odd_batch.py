"""Diabetes progression, linear model with squares, SGD: one delivery holds three odd patients."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(21)
torch.set_num_threads(1)
table, progression = load_diabetes(return_X_y=True)
x = torch.tensor(table / table.std(0)).float()
x = torch.cat([x, x**2 - 1], 1)
y = torch.tensor((progression - progression.mean()) / progression.std()).float()

model = nn.Linear(20, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
generator = torch.Generator().manual_seed(2)
for step in range(800):
    rows = torch.randint(len(x), (24,), generator=generator)
    target = y[rows].clone()
    if step == 520:
        target[:3] += 9.0
    loss = nn.functional.mse_loss(model(x[rows]).squeeze(1), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 40 == 0:
        print(step, loss.item())
