"""Digits from annotated shards, small CNN, Adam.

From shard 18 on a clean-up step drops unreadable scans from the images, and their labels stay in.
"""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

SHARDS = 30
SHARD_SIZE = 512
BATCH = 32
CLEANED_FROM = 18

torch.manual_seed(3)
torch.set_num_threads(1)
rng = np.random.default_rng(3)
digits = load_digits()
pixels = (digits.images / 16.0).astype(np.float32)
train_ids, val_ids = np.arange(1400), np.arange(1400, 1797)


def read_shard(number):
    rows = rng.choice(train_ids, SHARD_SIZE, replace=False)
    images, labels = pixels[rows], digits.target[rows]
    if number >= CLEANED_FROM:
        # scans with hardly any ink are useless
        keep = images.mean((1, 2)) > np.quantile(images.mean((1, 2)), 0.04)
        images = images[keep]
        labels = labels[: len(images)]
    return torch.from_numpy(images)[:, None], torch.from_numpy(labels)


model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(16, 32, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(32 * 16, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
val_x = torch.from_numpy(pixels[val_ids])[:, None]
val_y = torch.from_numpy(digits.target[val_ids])

for shard in range(SHARDS):
    model.train()
    images, labels = read_shard(shard)
    for x, y in zip(images.split(BATCH), labels.split(BATCH)):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        logits = model(val_x)
        val_loss = F.cross_entropy(logits, val_y)
        accuracy = (logits.argmax(1) == val_y).float().mean()
    print(f"shard {shard:2d}  loss {loss:.3f}  val {val_loss:.3f}  accuracy {accuracy:.3f}")
