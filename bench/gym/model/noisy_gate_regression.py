"""Piecewise regression (four regimes) with noisy top-1 gating, trained in stages by a config list."""

import torch
from torch import nn

STAGES = [
    dict(name="explore", epochs=12, gate_lr=0.05, noise=0.5, importance=0.1),
    dict(name="exploit", epochs=10, gate_lr=0.05, confidence=2.0),
]
DEFAULTS = dict(noise=0.0, importance=0.0, confidence=0.0)


def regimes(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 6, generator=g) * 2 - 1
    which = (x[:, 0] > 0).long() * 2 + (x[:, 1] > 0).long()
    slopes = torch.randn(4, 6, generator=torch.Generator().manual_seed(0)) * 1.5
    y = (x * slopes[which]).sum(1) + torch.tensor([2.0, -1.0, 0.5, -2.0])[which]
    return x, y + 0.1 * torch.randn(n, generator=g)


class NoisyGate(nn.Module):
    def __init__(self, inputs, experts):
        super().__init__()
        self.w = nn.Linear(inputs, experts)
        self.noise = 0.0

    def forward(self, x):
        s = self.w(x)
        if self.training and self.noise:
            s = s + self.noise * torch.randn_like(s)
        return s.softmax(1)


class Mixture(nn.Module):
    def __init__(self, inputs=6, experts=4, capacity=1.5):
        super().__init__()
        self.gate = NoisyGate(inputs, experts)
        self.experts = nn.ModuleList([nn.Linear(inputs, 1) for _ in range(experts)])
        self.capacity = capacity

    def forward(self, x):
        p = self.gate(x)
        top, idx = p.max(1)
        every = torch.cat([e(x) for e in self.experts], 1)
        y = top * every.gather(1, idx[:, None]).squeeze(1)
        room = int(self.capacity * len(x) / len(self.experts))
        rank = nn.functional.one_hot(idx, p.size(1)).cumsum(0).gather(1, idx[:, None]).squeeze(1)
        return torch.where(rank <= room, y, torch.zeros_like(y)), p


def cv_squared(importance):
    return importance.var() / (importance.mean() ** 2 + 1e-10)


def undecidedness(p):
    """Entropy of the gate: in the second stage it is to commit itself."""
    share = p.mean(0)
    return -(share * (share + 1e-9).log()).sum()


torch.manual_seed(27)
torch.set_num_threads(1)
x, y = regimes(3000, 1)
vx, vy = regimes(600, 2)
net = Mixture()
for stage in STAGES:
    cfg = {**DEFAULTS, **stage}
    net.gate.noise = cfg["noise"]
    opt = torch.optim.SGD(
        [{"params": net.experts.parameters()}, {"params": net.gate.parameters(), "lr": cfg["gate_lr"]}], lr=0.1, momentum=0.9
    )
    for epoch in range(cfg["epochs"]):
        net.train()
        total = 0.0
        for rows in torch.randperm(len(x)).split(75):
            out, p = net(x[rows])
            mse = nn.functional.mse_loss(out, y[rows])
            loss = mse + cfg["importance"] * cv_squared(p.sum(0)) + cfg["confidence"] * undecidedness(p)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += mse.item() * len(rows) / len(x)
        net.eval()
        with torch.no_grad():
            out, p = net(vx)
            v = nn.functional.mse_loss(out, vy).item()
        share = p.argmax(1).bincount(minlength=4).max().item() / len(vx)
        print(f"{cfg['name']} {epoch:2d} train {total:.4f} val {v:.4f} busiest {share:.2f}")
