"""Tumour classification, MLP with BatchNorm. A prefetch buffer is not advanced and hands out one record.

BatchNorm follows the copies, and is frozen, as planned, soon after.
"""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn

torch.set_num_threads(1)


class Buffer:
    """Fills itself from the records in random order, from step 480 on by one slot over and over."""

    def __init__(self, x, y, size):
        self.x, self.y, self.size, self.step = x, y, size, 0

    def next(self):
        slots = torch.randint(len(self.x), (self.size,))
        if 480 <= self.step < 540:
            slots = slots[:1].repeat(self.size)
        self.step += 1
        return self.x[slots], self.y[slots]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.bn_a = nn.Linear(30, 64), nn.BatchNorm1d(64, momentum=0.1)
        self.b, self.bn_b = nn.Linear(64, 32), nn.BatchNorm1d(32, momentum=0.1)
        self.out = nn.Linear(32, 2)

    def forward(self, x):
        x = F.leaky_relu(self.bn_a(self.a(x)))
        x = F.leaky_relu(self.bn_b(self.b(x)))
        return self.out(x)


torch.manual_seed(9)
features, target = load_breast_cancer(return_X_y=True)
features = torch.tensor(StandardScaler().fit_transform(features), dtype=torch.float32)
target = torch.tensor(target)
order = torch.randperm(len(target))
features, target = features[order], target[order]
buffer = Buffer(features[:460], target[:460], 32)
net = Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
for step in range(800):
    net.train()
    if step >= 540:
        net.bn_a.eval()
        net.bn_b.eval()
    x, y = buffer.next()
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 19:
        net.eval()
        with torch.no_grad():
            v = F.cross_entropy(net(features[460:]), target[460:])
        print(f"{step + 1} {loss.item():.4f} {v.item():.4f}")
