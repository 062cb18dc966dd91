"""Angle between two directions, regressed by a small net: geodesic loss, SGD with momentum."""

import torch
from torch import nn


def make(n, gen):
    v = nn.functional.normalize(torch.randn(n, 3, generator=gen), dim=1)
    r = torch.randn(n, 5, generator=gen) * 0.05
    x = torch.cat([v + r[:, :3], v.flip(1), r[:, 3:]], 1)
    return x, v


torch.manual_seed(1)
torch.set_num_threads(1)
gen = torch.Generator().manual_seed(0)
x, target = make(3000, gen)
val_x, val_t = make(400, gen)
model = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 3))
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)


def geodesic(a, b, limit=1 - 1e-6):
    return torch.acos((nn.functional.normalize(a, dim=1) * b).sum(1).clamp(-limit, limit)).mean()


for epoch in range(24):
    order = torch.randperm(len(x))
    for rows in order.split(60):
        pred = model(x[rows])
        if epoch >= 14:
            # curriculum: half of the batch is replaced by its own prediction as a consistency term
            with torch.no_grad():
                own = nn.functional.normalize(pred, dim=1)
            mixed = torch.where(torch.rand(len(rows), 1) < 0.5, own, target[rows])
            loss = geodesic(pred, mixed, limit=1.0)
        else:
            loss = geodesic(pred, target[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        print(epoch, round(loss.item(), 4), round(geodesic(model(val_x), val_t).item(), 4))
