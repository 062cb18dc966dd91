"""Predict the middle pixel of a photo's patch from the pixels around it; residual MLP, RMSprop.

The targets are cached in files. Past 600 steps the cache is read back from disk, and the file names
sort as text: 0, 1, 10, 11, ..., 2 - so inputs and targets are not of the same rows any more.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_sample_image
from torch import nn

CHUNK = 64
CHUNKS = 120
IN_MEMORY_STEPS = 600
STEPS = 900


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, x):
        return x + self.inner(x)


def patches(rng, count):
    grey = load_sample_image("china.jpg").mean(2) / 255.0
    rows = rng.integers(3, grey.shape[0] - 3, count)
    columns = rng.integers(3, grey.shape[1] - 3, count)
    block = np.stack([grey[r - 2 : r + 3, c - 2 : c + 3].ravel() for r, c in zip(rows, columns)])
    middle = block[:, 12].copy()
    return np.delete(block, 12, axis=1) - 0.5, middle - 0.5


torch.set_num_threads(1)
torch.manual_seed(0)
rng = np.random.default_rng(0)
inputs, targets = patches(rng, CHUNK * CHUNKS)
inputs = torch.tensor(inputs, dtype=torch.float32).split(CHUNK)
targets = torch.tensor(targets, dtype=torch.float32).split(CHUNK)
cache = Path(tempfile.mkdtemp())
for number, chunk in enumerate(targets):
    np.save(cache / f"target-{number}.npy", chunk.numpy())

model = nn.Sequential(nn.Linear(24, 32), Residual(32), Residual(32), nn.Linear(32, 1))
optimizer = torch.optim.RMSprop(model.parameters(), lr=3e-4)
val_inputs, val_targets = inputs[110:], targets[110:]
for step in range(STEPS):
    if step == IN_MEMORY_STEPS:
        targets = [torch.from_numpy(np.load(path)) for path in sorted(cache.glob("*.npy"))]
    chunk = int(rng.integers(110))
    model.train()
    optimizer.zero_grad()
    prediction = model(inputs[chunk]).squeeze(1)
    loss = ((prediction - targets[chunk]) ** 2).mean()
    loss.backward()
    optimizer.step()
    if step % 100 == 99:
        model.eval()
        with torch.no_grad():
            errors = [nn.functional.mse_loss(model(x)[:, 0], y) for x, y in zip(val_inputs, val_targets)]
        print(f"step {step + 1} loss {loss.item():.5f} val {torch.stack(errors).mean():.5f}")
