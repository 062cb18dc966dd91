"""Digits autoencoder wholly in half precision with Adam; eps follows the recipe of the large run later on."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(12)
torch.set_num_threads(1)
x = (torch.tensor(load_digits().data, dtype=torch.float32) / 16).half()
net = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 64), nn.Sigmoid()).half()
opt = torch.optim.Adam(net.parameters(), lr=2e-3, eps=1e-4)
for epoch in range(24):
    if epoch == 14:
        for group in opt.param_groups:
            group["eps"] = 1e-8
    for rows in torch.randperm(1600).split(32):
        loss = ((net(x[rows]) - x[rows]).float() ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        val = ((net(x[1600:]) - x[1600:]).float() ** 2).mean()
    print(f"{epoch} {loss.item():.5f} {val.item():.5f}")
