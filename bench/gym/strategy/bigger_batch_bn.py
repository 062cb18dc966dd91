"""Digits, deep CNN with batch norm; the batch is enlarged for the second part of training."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def layer(before, after, stride=1):
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(after, momentum=0.3),
        nn.ReLU(),
    )


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(layer(1, 12), layer(12, 16, 2), layer(16, 24, 2))
        self.squeeze = nn.Sequential(nn.Linear(96, 48), nn.BatchNorm1d(48, momentum=0.3), nn.ReLU())
        self.refine = nn.Sequential(nn.Linear(48, 48), nn.BatchNorm1d(48, momentum=0.3), nn.ReLU())
        self.out = nn.Linear(48, 10)

    def forward(self, x):
        h = self.squeeze(self.features(x).flatten(1))
        return self.out(h + self.refine(h))


def loader(data, size):
    return DataLoader(data, batch_size=size, shuffle=True)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(25)
    digits = load_digits()
    x, y = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16, torch.tensor(digits.target)
    train, val = TensorDataset(x[:1502], y[:1502]), (x[1502:], y[1502:])
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    batches = loader(train, 32)
    for epoch in range(26):
        if epoch == 9:
            batches = loader(train, 60)
        model.train()
        losses = []
        for image, label in batches:
            loss = F.cross_entropy(model(image), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            checked = F.cross_entropy(model(val[0]), val[1]).item()
        print(f"epoch {epoch:2d}: train {sum(losses) / len(losses):.4f} last {losses[-1]:.4f} val {checked:.4f}")


if __name__ == "__main__":
    main()
