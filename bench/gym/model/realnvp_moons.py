"""Density of two moons with a small RealNVP."""

import math

import torch
from sklearn.datasets import make_moons
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(11)


class Coupling(nn.Module):
    def __init__(self, flip):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        a, b = x.chunk(2, 1)
        if self.flip:
            a, b = b, a
        s, t = self.net(a).chunk(2, 1)
        b = b * torch.exp(s) + t
        out = torch.cat([b, a] if self.flip else [a, b], 1)
        return out, s.sum(1)


class RealNVP(nn.Module):
    def __init__(self, layers=10):
        super().__init__()
        self.layers = nn.ModuleList(Coupling(i % 2 == 1) for i in range(layers))

    def forward(self, x):
        logdet = x.new_zeros(len(x))
        for layer in self.layers:
            x, ld = layer(x)
            logdet = logdet + ld
        return x, logdet


def nll(model, x):
    z, logdet = model(x)
    return (0.5 * (z**2).sum(1) + math.log(2 * math.pi) - logdet).mean()


data = torch.tensor(make_moons(4000, noise=0.05, random_state=0)[0], dtype=torch.float32)
train, val = data[:3600], data[3600:]
flow = RealNVP()
opt = torch.optim.SGD(flow.parameters(), lr=3e-3, momentum=0.9, nesterov=True)
for step in range(600):
    x = train[torch.randint(len(train), (128,))]
    opt.zero_grad()
    loss = nll(flow, x)
    loss.backward()
    opt.step()
    if step % 60 == 59:
        with torch.no_grad():
            print(f"{step + 1:5d}  train nll {loss.item():8.3f}  val nll {nll(flow, val).item():8.3f}", flush=True)
