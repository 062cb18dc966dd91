"""Denoises digits with a mixture of experts; experts that are used little are pruned between epochs in the second part."""
import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


class ExpertPool(nn.Module):
    def __init__(self, width, experts, capacity):
        super().__init__()
        self.gate = nn.Linear(width, experts)
        self.down = nn.ModuleList([nn.Linear(width, 24) for _ in range(experts)])
        self.up = nn.ModuleList([nn.Linear(24, width) for _ in range(experts)])
        self.limit = capacity
        self.register_buffer("alive", torch.ones(experts, dtype=torch.bool))
        self.register_buffer("used", torch.zeros(experts))

    def forward(self, h):
        p = self.gate(h).masked_fill(~self.alive, float("-inf")).softmax(1)
        weight, which = p.max(1)
        out = torch.zeros_like(h)
        for e in self.alive.nonzero().flatten().tolist():
            mine = (which == e).nonzero().flatten()
            if self.training:
                self.used[e] += len(mine)
            mine = mine[: self.limit]
            if len(mine):
                y = self.up[e](torch.relu(self.down[e](h[mine])))
                out = out.index_add(0, mine, y * weight[mine, None])
        return out, p

    def prune(self, threshold):
        """Takes out experts whose use is below a share of what the average living expert has."""
        share = self.used / self.used.sum()
        self.alive &= share >= threshold / self.alive.sum()
        self.used.zero_()


class Denoiser(nn.Module):
    def __init__(self, experts, capacity, width=64):
        super().__init__()
        self.enter = nn.Sequential(nn.Linear(64, width), nn.Tanh())
        self.pool = ExpertPool(width, experts, capacity)
        self.leave = nn.Linear(width, 64)

    def forward(self, x):
        h, p = self.pool(self.enter(x))
        return self.leave(h), p


def balance(p):
    return p.size(1) * p.mean(0).pow(2).sum()


parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=34)
parser.add_argument("--prune-after", type=int, default=19)
parser.add_argument("--threshold", type=float, default=0.95, help="of the average use")
parser.add_argument("--experts", type=int, default=8)
args = parser.parse_args()
torch.manual_seed(80)
torch.set_num_threads(1)
x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
x = x[torch.randperm(len(x))]
train, val = x[:1500], x[1500:]
model = Denoiser(args.experts, capacity=12)
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
noise = torch.Generator().manual_seed(1)
val_noise = 0.1 * torch.randn(val.shape, generator=torch.Generator().manual_seed(2))
for epoch in range(args.epochs):
    model.train()
    total = 0.0
    for clean in train[torch.randperm(len(train))].split(50):
        out, p = model(clean + 0.1 * torch.randn(clean.shape, generator=noise))
        mse = nn.functional.mse_loss(out, clean)
        opt.zero_grad()
        (mse + 0.002 * balance(p)).backward()
        opt.step()
        total += mse.item() * len(clean) / len(train)
    if epoch >= args.prune_after:
        model.pool.prune(args.threshold)
    else:
        model.pool.used.zero_()
    model.eval()
    with torch.no_grad():
        parts = zip(val.split(50), val_noise.split(50))
        v = sum(nn.functional.mse_loss(model(c + n)[0], c, reduction="sum").item() for c, n in parts) / val.numel()
    print(f"epoch {epoch:2d} train {total:.4f} val {v:.4f} experts {int(model.pool.alive.sum())}")
