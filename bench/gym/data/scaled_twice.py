"""Digits, small CNN and SGD. A cached copy of the set replaces the raw one after the tenth epoch."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Scans(Dataset):
    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return torch.as_tensor(self.images[i] / 16.0, dtype=torch.float32)[None], int(self.labels[i])


torch.manual_seed(22)
torch.set_num_threads(1)
digits = load_digits()
cache = Path(tempfile.mkdtemp()) / "images.npy"
np.save(cache, digits.images / 16.0)
net = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
    nn.Flatten(), nn.Linear(24 * 16, 10),
)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
train = Scans(digits.images[:1500], digits.target[:1500])
for epoch in range(18):
    if epoch == 10:
        train.images = np.load(cache)[:1500]
    for x, y in DataLoader(train, 50, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
    print(epoch, loss.item())
