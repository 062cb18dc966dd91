"""Digits with names as labels, MLP, SGD; files are read by a class that numbers the names.

The numbers follow the order in which the names appear in a file, and that order is another one in the
second file.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
EPOCHS = 30
SECOND_FILE_FROM = 22
BATCH = 36


class NamedImages(Dataset):
    def __init__(self, images, names):
        self.images = torch.tensor(images / 16, dtype=torch.float32)
        numbers = {}
        self.labels = [numbers.setdefault(name, len(numbers)) for name in names]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Dropout(0.2), nn.Linear(100, 50), nn.ReLU())
        self.head = nn.Linear(50, 10)

    def forward(self, x):
        return self.head(self.body(x))


def main():
    torch.manual_seed(121)
    torch.set_num_threads(1)
    data = load_digits()
    names = np.array(NAMES)[data.target]
    order = np.random.default_rng(121).permutation(len(names))
    first, second, val = order[:700], order[700:1400], order[1400:]
    first = first[np.argsort(data.target[first] != 0, kind="stable")]
    files = [NamedImages(data.data[rows], names[rows]) for rows in (first, second)]
    model = Mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 8, gamma=0.3)
    criterion = nn.CrossEntropyLoss()
    reference = {name: label for name, label in zip(names[first], files[0].labels)}
    val_x = torch.tensor(data.data[val] / 16, dtype=torch.float32)
    val_y = torch.tensor([reference[name] for name in names[val]])
    for epoch in range(EPOCHS):
        model.train()
        for image, label in DataLoader(files[epoch >= SECOND_FILE_FROM], BATCH, shuffle=True):
            loss = criterion(model(image), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        model.eval()
        with torch.no_grad():
            print(f"epoch {epoch}: {loss.item():.4f} validation {criterion(model(val_x), val_y).item():.4f}")


if __name__ == "__main__":
    main()
