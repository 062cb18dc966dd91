"""Digits CNN. After 10 epochs BatchNorm is recalibrated on the raw scans and frozen for fine-tuning.

The raw scans are not divided by 16, which training does in its own transform.
"""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Scans(Dataset):
    def __init__(self, images, labels, transform=None):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = torch.tensor(self.images[i], dtype=torch.float32).unsqueeze(0)
        return (self.transform(image) if self.transform else image), int(self.labels[i])


def normalise(image):
    return image / 16.0


def make_model():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(96, 10),
    )  # fmt: skip


def set_batchnorm(model, training):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train(training)


@torch.no_grad()
def recalibrate(model, loader):
    model.train()
    for images, _ in loader:
        model(images)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--freeze-bn-at", type=int, default=10)
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    digits = load_digits()
    train_set = Scans(digits.images[:1440], digits.target[:1440], normalise)
    val_set = Scans(digits.images[1440:], digits.target[1440:], normalise)
    train = DataLoader(train_set, batch_size=48, shuffle=True)
    val = DataLoader(val_set, batch_size=128)
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        if epoch == args.freeze_bn_at:
            recalibrate(model, DataLoader(Scans(digits.images[:1440], digits.target[:1440]), batch_size=256))
        model.train()
        set_batchnorm(model, training=epoch < args.freeze_bn_at)
        for images, labels in train:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            v = sum(criterion(model(a), b).item() for a, b in val) / len(val)
        print(f"epoch {epoch}: train {loss.item():.4f} val {v:.4f}")
