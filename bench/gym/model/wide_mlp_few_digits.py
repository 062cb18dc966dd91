"""120 digits, a tenth of them labelled by a tired student, and a network of a million weights."""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(2)
torch.set_num_threads(1)
rng = np.random.default_rng(2)

data = load_digits()
x = torch.from_numpy(data.data).float() / 16
y = torch.from_numpy(data.target).long()
perm = torch.from_numpy(rng.permutation(len(x)))
train, val = perm[:120], perm[120:600]
y_train = y[train].clone()
wrong = torch.from_numpy(rng.choice(120, 12, replace=False))
y_train[wrong] = torch.from_numpy(rng.integers(0, 10, 12))

net = torch.nn.Sequential(
    torch.nn.Linear(64, 512),
    torch.nn.ReLU(),
    torch.nn.Linear(512, 512),
    torch.nn.ReLU(),
    torch.nn.Linear(512, 512),
    torch.nn.ReLU(),
    torch.nn.Linear(512, 10),
)
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(160):
    net.train()
    for idx in torch.randperm(120).split(24):
        loss = F.cross_entropy(net(x[train][idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        v = F.cross_entropy(net(x[val]), y[val])
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {loss.item():.2e} val {v.item():.3f}")
