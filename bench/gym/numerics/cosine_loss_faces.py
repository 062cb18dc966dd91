"""Embeds digits on the unit sphere and pulls classes together, prototypes by class mean."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(3)
torch.set_num_threads(1)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
proto = nn.Parameter(torch.randn(10, 16))
opt = torch.optim.Adam([*net.parameters(), proto], lr=2e-3)


def distance(a, b):
    return ((a - b) ** 2).sum(1).sqrt()


for step in range(900):
    rows = torch.randint(1500, (48,))
    z = nn.functional.normalize(net(x[rows]), dim=1)
    p = nn.functional.normalize(proto, dim=1)
    if step >= 500:
        # from here on the prototype is the sample itself for anchors: pulls views of one sample together
        views = torch.cat([z[:8], z[:8]])
        near = distance(views[:8], views[8:]).mean()
    else:
        near = distance(z, p[y[rows]]).mean()
    logits = -torch.cdist(z, p) * 4
    loss = nn.functional.cross_entropy(logits, y[rows]) + 0.1 * near
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0:
        print(step, round(loss.item(), 4))
