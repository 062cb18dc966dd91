"""Sorting office: digits on parcels, CNN with batch normalisation in front of SGD with decay.

Codes with an 8 or a 9 are rare until the region that they stand for opens a depot; then they are
nine parcels of ten. The rate has been decayed by that time.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

DAYS = 36
DEPOT_OPENS = 26
PARCELS_A_DAY = 1280
BATCH = 64


def sampler(labels, rare_share):
    rare = labels >= 8
    weight = torch.where(rare, rare_share / rare.sum(), (1 - rare_share) / (~rare).sum())
    return WeightedRandomSampler(weight, PARCELS_A_DAY)


def build():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(12 * 16, 10),
    )


def main():
    torch.manual_seed(17)
    torch.set_num_threads(1)
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target)
    train = TensorDataset(images[:1400], labels[:1400])
    val = DataLoader(TensorDataset(images[1400:], labels[1400:]), 100)
    model = build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.8)
    decay = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.85)
    criterion = nn.CrossEntropyLoss()
    for day in range(DAYS):
        share = 0.9 if day >= DEPOT_OPENS else 0.004
        model.train()
        for image, label in DataLoader(train, BATCH, sampler=sampler(labels[:1400], share)):
            loss = criterion(model(image), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        decay.step()
        model.eval()
        with torch.no_grad():
            val_loss = sum(criterion(model(i), t).item() for i, t in val) / len(val)
        print(f"day {day} loss {loss.item():.4f} val {val_loss:.4f}")


main()
