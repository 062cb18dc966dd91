"""Denoising autoencoder on digits with BatchNorm; batches are padded to a fixed shape for the compiler.

A short shard is padded with rows of zeros, which BatchNorm takes for data; then its statistics are frozen.
"""

from functools import partial

import torch
from sklearn.datasets import load_digits
from torch import nn

BATCH = 64
FREEZE_EPOCH = 14


def pad(rows, size):
    """Static shapes: fill up with zeros, and say which rows count."""
    mask = torch.zeros(size)
    mask[: len(rows)] = 1.0
    return torch.cat([rows, rows.new_zeros(size - len(rows), rows.shape[1])]), mask


def shards(x, epoch):
    parts = list(x[torch.randperm(len(x))].split(BATCH))
    if epoch == FREEZE_EPOCH - 1:
        # the new export has many tiny shards at its end
        parts = parts[:-1] + list(parts[-1].split(1))
    return [pad(part, BATCH) for part in parts]


def build():
    block = partial(nn.BatchNorm1d, momentum=0.1)
    return nn.Sequential(
        nn.Linear(64, 48), block(48), nn.ReLU(), nn.Linear(48, 12), block(12), nn.ReLU(),
        nn.Linear(12, 48), block(48), nn.ReLU(), nn.Linear(48, 64), nn.Sigmoid(),
    )  # fmt: skip


def reconstruction(model, rows, mask, noise=0.1):
    error = (model(rows + noise * torch.randn_like(rows)) - rows).pow(2).mean(1)
    return (error * mask).sum() / mask.sum()


def main():
    torch.manual_seed(6)
    torch.set_num_threads(1)
    x = torch.tensor(load_digits().data, dtype=torch.float32) / 16
    train, val = x[:1500], x[1500:]
    model = build()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(26):
        for rows, mask in shards(train, epoch):
            model.train()
            if epoch >= FREEZE_EPOCH:
                for m in model:
                    if isinstance(m, nn.BatchNorm1d):
                        m.eval()
            opt.zero_grad()
            loss = reconstruction(model, rows, mask)
            loss.backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            v = reconstruction(model, val, torch.ones(len(val)))
        print(f"epoch {epoch} loss {loss.item():.5f} val {v.item():.5f}")


if __name__ == "__main__":
    main()
