"""Diabetes progression, linear model and one hidden layer beside it, SGD with a rising momentum.

The ramp has no upper end, and at 1 and beyond old updates never fade.
"""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

EPOCHS = 45
BATCH = 32
START, RAISE, EVERY = 0.5, 0.08, 5


class LinearPlus(nn.Module):
    def __init__(self, columns, hidden=16):
        super().__init__()
        self.linear = nn.Linear(columns, 1)
        self.hidden = nn.Sequential(nn.Linear(columns, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, x):
        return (self.linear(x) + self.hidden(x)).squeeze(-1)


torch.manual_seed(20)
torch.set_num_threads(1)
x, y = load_diabetes(return_X_y=True)
x = torch.tensor(x * 21, dtype=torch.float32)
y = torch.tensor((y - 152) / 77, dtype=torch.float32)
order = torch.randperm(len(x))
train, val = order[:352], order[352:]
model = LinearPlus(10)
optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=START)
criterion = nn.MSELoss()
for epoch in range(EPOCHS):
    momentum = START + RAISE * (epoch // EVERY)
    for group in optimizer.param_groups:
        group["momentum"] = momentum
    for rows in train[torch.randperm(len(train))].split(BATCH):
        loss = criterion(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        val_loss = criterion(model(x[val]), y[val])
    print(f"{epoch} momentum {momentum:.2f} loss {loss.item():.4f} val {val_loss.item():.4f}")
