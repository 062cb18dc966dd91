"""Digits with a network of cubic units: it learns products of pixels."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.set_num_threads(1)
torch.manual_seed(5)


class Cubic(nn.Module):
    def forward(self, x):
        return x**3


data = load_digits()
x = torch.tensor(data.data, dtype=torch.float32) / 16.0
y = torch.tensor(data.target)
train_set, val_set = random_split(TensorDataset(x, y), [1437, 360])
train = DataLoader(train_set, batch_size=32, shuffle=True)
val = DataLoader(val_set, batch_size=360)

model = nn.Sequential(nn.Linear(64, 64), Cubic(), nn.Linear(64, 64), Cubic(), nn.Linear(64, 10))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_normal_(m.weight)
optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(20):
    for xb, yb in train:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        v = sum(loss_fn(model(a), b).item() for a, b in val)
    if epoch % 6 == 0:
        print(f"epoch {epoch} train {loss.item():.3f} val {v:.3f}")
