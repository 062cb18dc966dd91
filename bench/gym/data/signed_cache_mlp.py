"""Digits, MLP with layer normalisation, Adam and a data set class with a cache file.

The first epochs scale the images on the fly. The cache that the later ones read was written as int8:
pixels scaled to 0-255 come back as negative numbers.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

EPOCHS = 30
CACHE_READY = 18
BATCH = 50


class CachedDigits(Dataset):
    def __init__(self, rows, directory):
        data = load_digits()
        self.images = data.images[rows]
        self.labels = data.target[rows]
        self.file = Path(directory) / "digits-0255.npy"
        self.cache = None

    def write_cache(self):
        np.save(self.file, (self.images * 15.9375).astype(np.uint8).view(np.int8))

    def open_cache(self):
        self.cache = np.load(self.file, mmap_mode="r")

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        if self.cache is None:
            image = self.images[index] * 15.9375
        else:
            image = self.cache[index].astype(np.float64)
        return torch.tensor(image / 255.0, dtype=torch.float32), int(self.labels[index])


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as directory:
        train = CachedDigits(slice(0, 1500), directory)
        val = CachedDigits(slice(1500, 1797), directory)
        train.write_cache()
        train_loader = DataLoader(train, BATCH, shuffle=True)
        val_loader = DataLoader(val, 99)
        net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64, 128),
            nn.LayerNorm(128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        optimizer = torch.optim.Adam(net.parameters(), lr=3e-4)
        criterion = nn.CrossEntropyLoss()
        for epoch in range(EPOCHS):
            if epoch == CACHE_READY:
                train.open_cache()
            net.train()
            for image, label in train_loader:
                optimizer.zero_grad()
                loss = criterion(net(image), label)
                loss.backward()
                optimizer.step()
            net.eval()
            with torch.no_grad():
                val_loss = np.mean([criterion(net(i), t).item() for i, t in val_loader])
            print(f"epoch {epoch} loss {loss.item():.3f} val {val_loss:.3f}")


main()
