"""Digits, CNN with a log-sum-exp pooling of our own; channels last for speed once the larger batches begin."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Config:
    epochs = 22
    switch = 10
    rate = 1e-3
    batch, large_batch = 36, 48


def windows(x, size=2):
    """Non-overlapping windows as a view: (n, c, h / size, w / size, size, size)."""
    n, c, h, w = x.shape
    shape = (n, c, h // size, w // size, size, size)
    return x.as_strided(shape, (c * h * w, h * w, size * w, size, w, 1))


class SoftPool(nn.Module):
    def __init__(self, sharpness=4.0):
        super().__init__()
        self.sharpness = sharpness

    def forward(self, x):
        return torch.logsumexp(windows(x) * self.sharpness, dim=(-2, -1)) / self.sharpness


class PoolNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = SoftPool()
        self.fc = nn.Linear(32 * 2 * 2, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        return self.fc(x.flatten(1))


@torch.no_grad()
def validate(model, x, y):
    return F.cross_entropy(model(x), y).item()


def main(config):
    torch.set_num_threads(1)
    torch.manual_seed(74)
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    y = torch.tensor(digits.target)
    train_x, train_y, val_x, val_y = x[:1440], y[:1440], x[1440:], y[1440:]
    model = PoolNet()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=config.rate)
    batch = config.batch
    for epoch in range(config.epochs):
        if epoch == config.switch:
            model = model.to(memory_format=torch.channels_last)
            batch = config.large_batch
        total = 0.0
        for rows in torch.randperm(len(train_x)).split(batch):
            loss = F.cross_entropy(model(train_x[rows]), train_y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows) / len(train_x)
        print(f"epoch {epoch:2d} train {total:.4f} val {validate(model, val_x, val_y):.4f}")


if __name__ == "__main__":
    main(Config)
