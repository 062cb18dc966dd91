"""Breast cancer, own focal loss on probabilities, Adam; harder examples count more after warm-up."""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(4)
torch.set_num_threads(1)
data = load_breast_cancer()
x = torch.tensor((data.data - data.data.mean(0)) / data.data.std(0), dtype=torch.float32)
y = torch.tensor(data.target, dtype=torch.float32)
y[torch.randperm(480)[:10]] = 1.0  # ten reports are still being corrected
net = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)


def focal(logit, target, sharpness):
    p = torch.sigmoid(sharpness * logit)
    pt = torch.where(target > 0.5, p, 1 - p)
    return -((1 - pt) ** 2 * torch.log(pt)).mean()


for epoch in range(40):
    sharpness = 1.0 if epoch < 12 else 25.0
    for rows in torch.randperm(480).split(32):
        loss = focal(net(x[rows]).squeeze(1), y[rows], sharpness)
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        val = focal(net(x[480:]).squeeze(1), y[480:], 1.0)
    print(f"epoch {epoch} loss {loss.item():.5f} val {val.item():.5f}")
