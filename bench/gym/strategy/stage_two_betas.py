"""Digits, MLP with dropout, Adam in two stages.

The second stage makes its own optimizer, and 0.99 became 0.09 on the way into its settings.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

STAGES = [
    {"epochs": 14, "lr": 2e-3, "betas": (0.9, 0.999)},
    {"epochs": 8, "lr": 2e-3, "betas": (0.9, 0.09)},
]
BATCH = 45


class Mlp(nn.Module):
    def __init__(self, sizes=(64, 128, 64, 10)):
        super().__init__()
        layers = []
        for before, after in zip(sizes, sizes[1:]):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(0.1)]
        self.net = nn.Sequential(*layers[:-2])

    def forward(self, x):
        return self.net(x)


def evaluate(model, loader, criterion):
    model.eval()
    with torch.no_grad():
        losses = [criterion(model(x), y).item() for x, y in loader]
    model.train()
    return sum(losses) / len(losses)


def main():
    torch.manual_seed(15)
    torch.set_num_threads(1)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
    train = DataLoader(TensorDataset(x[:1440], y[:1440]), BATCH, shuffle=True)
    val = DataLoader(TensorDataset(x[1440:], y[1440:]), BATCH)
    model, criterion = Mlp(), nn.CrossEntropyLoss()
    for number, stage in enumerate(STAGES):
        optimizer = torch.optim.Adam(model.parameters(), lr=stage["lr"], betas=stage["betas"])
        for epoch in range(stage["epochs"]):
            for image, label in train:
                optimizer.zero_grad()
                loss = criterion(model(image), label)
                loss.backward()
                optimizer.step()
            print(f"stage {number} epoch {epoch}: {loss.item():.4f} {evaluate(model, val, criterion):.4f}")


if __name__ == "__main__":
    main()
