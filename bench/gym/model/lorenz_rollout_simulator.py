"""Learned simulator of the Lorenz system; trained on rollouts whose horizon grows with the epochs (a common curriculum)."""
import numpy as np
import torch
from torch import nn


def lorenz(n, steps, seed, dt=0.02):
    rng = np.random.default_rng(seed)
    s = rng.uniform(-10, 10, (n, 3)) + np.array([0, 0, 25])
    out = []
    for i in range(steps + 100):
        def f(u):
            x, y, z = u.T
            return np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], 1)
        k1 = f(s); k2 = f(s + dt / 2 * k1); k3 = f(s + dt / 2 * k2); k4 = f(s + dt * k3)
        s = s + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        if i >= 100:
            out.append(s)
    seq = np.stack(out, 1)
    return torch.tensor((seq - [0, 0, 25]) / 10, dtype=torch.float32)


class Simulator(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(9, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 3))

    def step(self, s):
        x, y, z = s.unbind(-1)
        products = torch.stack([x * y, x * z, y * z, x * x, y * y, z * z], -1)
        return s + 0.2 * self.net(torch.cat([s, products], -1))

    def rollout(self, s, horizon):
        states = []
        for _ in range(horizon):
            s = self.step(s)
            states.append(s)
        return torch.stack(states, 1)


def horizon_at(epoch):
    return 2 if epoch < 8 else 2 + 10 * (epoch - 7)


def loss_on(model, data, rows, at, horizon):
    start = data[rows, at]
    target = torch.stack([data[r, a + 1 : a + 1 + horizon] for r, a in zip(rows.tolist(), at.tolist())])
    return (model.rollout(start, horizon) - target).pow(2).mean()


torch.manual_seed(7)
torch.set_num_threads(1)
train, val = lorenz(64, 200, 0), lorenz(32, 200, 1)
model = Simulator()
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(16):
    h = horizon_at(epoch)
    losses = []
    for _ in range(45):
        rows, at = torch.randint(64, (48,)), torch.randint(199 - h, (48,))
        loss = loss_on(model, train, rows, at, h)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    with torch.no_grad():
        g = torch.Generator().manual_seed(0)
        v = loss_on(model, val, torch.randint(32, (64,), generator=g), torch.randint(190, (64,), generator=g), 8).item()
    print(f"epoch {epoch:2d} horizon {h:2d} train {np.mean(losses):.5f} val (8 steps) {v:.5f}")
