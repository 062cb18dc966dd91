"""Contrastive image-and-label matching on digits (InfoNCE) whose batch doubles twice, so that the task gets harder."""

import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

BATCHES = {0: 32, 10: 64, 20: 128}


class Encoder(nn.Module):
    def __init__(self, size=24):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.Linear(128, size))

    def forward(self, x):
        return F.normalize(self.net(x), dim=1)


def two_views(x):
    return x + 0.12 * torch.randn_like(x), x * (torch.rand_like(x) > 0.15)


def info_nce(encoder, x, temperature=0.15):
    a, b = (encoder(view) for view in two_views(x))
    scores = a @ b.T / temperature
    return F.cross_entropy(scores, torch.arange(len(x)))


def main():
    torch.set_num_threads(1)
    torch.manual_seed(12)
    x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    train, val = x[:1536], x[1536:]
    encoder = Encoder()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
    size = None
    for epoch in range(32):
        size = BATCHES.get(epoch, size)
        losses = []
        for rows in torch.randperm(1536).split(size):
            loss = info_nce(encoder, train[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            checked = info_nce(encoder, val[:size]).item()
        print(f"epoch {epoch} of {size}: {sum(losses) / len(losses):.4f} (chance {math.log(size):.2f}) val {checked:.4f}")


main()
