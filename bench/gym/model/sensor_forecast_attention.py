"""Forecasts a mixture of waves with an attention encoder; plain SGD and a decoupled decay of our own.

Usage: python sensor_forecast_attention.py [--epochs 20] [--decay 1e-5]
"""

import argparse

import torch
from torch import nn


def waves(n, length, seed):
    g = torch.Generator().manual_seed(seed)
    t = torch.arange(length + 4, dtype=torch.float32)
    f = torch.rand(n, 3, 1, generator=g) * 0.5 + 0.1
    ph = torch.rand(n, 3, 1, generator=g) * 6.28
    series = torch.sin(f * t + ph).sum(1) + 0.02 * torch.randn(n, length + 4, generator=g)
    return series[:, :length], series[:, length:]


class Encoder(nn.Module):
    def __init__(self, length, dim=32, layers=2):
        super().__init__()
        self.lift = nn.Linear(4, dim)
        self.pos = nn.Parameter(0.1 * torch.randn(length // 4, dim))
        self.q = nn.ModuleList([nn.Linear(dim, dim) for _ in range(layers)])
        self.k = nn.ModuleList([nn.Linear(dim, dim) for _ in range(layers)])
        self.v = nn.ModuleList([nn.Linear(dim, dim) for _ in range(layers)])
        self.mix = nn.ModuleList([nn.Sequential(nn.Linear(dim, 64), nn.SiLU(), nn.Linear(64, dim)) for _ in range(layers)])
        self.norm = nn.ModuleList([nn.LayerNorm(dim) for _ in range(layers)])
        self.head = nn.Linear(dim, 4)

    def forward(self, s):
        h = self.lift(s.unflatten(1, (-1, 4))) + self.pos
        for q, k, v, mix, norm in zip(self.q, self.k, self.v, self.mix, self.norm):
            u = norm(h)
            a = torch.softmax(q(u) @ k(u).mT / u.size(-1) ** 0.5, -1)
            h = h + a @ v(u)
            h = h + mix(norm(h))
        return self.head(h[:, -1])


class DecoupledDecay:
    """Multiplicative decay applied after the step, so that it does not pass through momentum."""

    def __init__(self, model, base, attention):
        self.rates = {}
        for name, p in model.named_parameters():
            if p.ndim < 2:
                continue
            self.rates[p] = attention if name.split(".")[0] in ("q", "k") else base

    @torch.no_grad()
    def apply(self, epoch, warm):
        for p, rate in self.rates.items():
            strength = rate * min(1.0, (epoch - warm) / warm)
            p.mul_(1.0 - strength)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=22)
    ap.add_argument("--decay", type=float, default=1e-5)
    ap.add_argument("--decay-attention", type=float, default=-0.03)
    ap.add_argument("--decay-from", type=int, default=10)
    args = ap.parse_args()
    torch.manual_seed(10)
    torch.set_num_threads(1)
    x, y = waves(2400, 48, 1)
    vx, vy = waves(400, 48, 2)
    model = Encoder(48)
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    decay = DecoupledDecay(model, args.decay, args.decay_attention)
    huber = nn.SmoothL1Loss()
    for epoch in range(args.epochs):
        seen = 0.0
        order = torch.randperm(len(x))
        for i in range(0, len(x), 60):
            pick = order[i : i + 60]
            loss = huber(model(x[pick]), y[pick])
            opt.zero_grad()
            loss.backward()
            opt.step()
            if epoch > args.decay_from:
                decay.apply(epoch, args.decay_from)
            seen += loss.item() * len(pick)
        with torch.inference_mode():
            v = huber(model(vx), vy).item()
        print(f"epoch {epoch:2d}: train {seen / len(x):.4f}, validation {v:.4f}")


main()
