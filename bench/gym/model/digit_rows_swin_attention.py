"""Classifies digits from their 16 patches with cosine attention (a learnt temperature per head, as in Swin v2)."""

import math

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy, normalize

torch.set_num_threads(1)
torch.manual_seed(77)


class CosineAttention(nn.Module):
    def __init__(self, width, heads=4):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.log_tau = nn.Parameter(torch.full((heads, 1, 1), math.log(5.0)))

    def forward(self, x):
        n, t, w = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        logits = normalize(q, dim=-1) @ normalize(k, dim=-1).transpose(-1, -2) * self.log_tau.exp()
        y = logits.softmax(-1) @ v
        return self.proj(y.transpose(1, 2).reshape(n, t, w))


class PatchNet(nn.Module):
    def __init__(self, width=32, depth=3):
        super().__init__()
        self.patch = nn.Linear(4, width)
        self.place = nn.Parameter(torch.randn(1, 16, width) * 0.02)
        self.attn = nn.ModuleList([CosineAttention(width) for _ in range(depth)])
        self.ff = nn.ModuleList(
            [nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, width)) for _ in range(depth)]
        )
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2 * depth)])
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        h = self.patch(x) + self.place
        for i, (a, f) in enumerate(zip(self.attn, self.ff)):
            h = h + a(self.norms[2 * i](h))
            h = h + f(self.norms[2 * i + 1](h))
        return self.head(h.mean(1))


@torch.no_grad()
def sharpen(model, rate):
    """Heads are to specialise in the second stage: temperatures are annealed beside the optimizer."""
    for a in model.attn:
        a.log_tau += rate


def to_patches(images):
    return images.reshape(-1, 4, 2, 4, 2).transpose(0, 1, 3, 2, 4).reshape(-1, 16, 4)


digits = load_digits()
patches = torch.tensor(to_patches(digits.images / 16.0), dtype=torch.float32)
labels = torch.tensor(digits.target)
shuffled = torch.from_numpy(np.random.RandomState(4).permutation(len(labels)))
train, val = shuffled[:1500], shuffled[1500:]

model = PatchNet()
optimizer = torch.optim.RMSprop(model.parameters(), lr=7e-4, alpha=0.95)
SPECIALISE_FROM = 12
for epoch in range(26):
    model.train()
    running = []
    for rows in train[torch.randperm(len(train))].split(50):
        loss = cross_entropy(model(patches[rows]), labels[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if epoch >= SPECIALISE_FROM:
            sharpen(model, 0.02)
        running.append(loss.item())
    model.eval()
    with torch.no_grad():
        v = cross_entropy(model(patches[val]), labels[val]).item()
    print(f"[{epoch:02d}] loss {np.mean(running):.4f} | val {v:.4f}")
