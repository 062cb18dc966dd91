"""Prototype classifier on digits: softmax over cosine similarities, with a temperature that is cooled as in DeepCluster-style heads."""
import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Prototypes(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.centres = nn.Parameter(torch.randn(classes, width))
        self.register_buffer("temperature", torch.tensor(0.25))

    def forward(self, h):
        return F.normalize(h, dim=1) @ F.normalize(self.centres, dim=1).T / self.temperature


def network():
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 16, 3), nn.LeakyReLU(0.1),
        nn.Conv2d(16, 24, 3), nn.LeakyReLU(0.1),
        nn.Flatten(), nn.Linear(24 * 16, 32),
        Prototypes(32, 10),
    )


def evaluate(model, loader):
    model.eval()
    total, n = 0.0, 0
    with torch.no_grad():
        for x, y in loader:
            total += F.cross_entropy(model(x), y, reduction="sum").item()
            n += len(y)
    return total / n


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=24)
    p.add_argument("--lr", type=float, default=0.05)
    p.add_argument("--cool-after", type=int, default=10, help="epochs at the starting temperature")
    p.add_argument("--cooling", type=float, default=0.985, help="factor of the temperature per step")
    p.add_argument("--seed", type=int, default=5)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(1)

    d = load_digits()
    full = TensorDataset(torch.tensor(d.data, dtype=torch.float32) / 16, torch.tensor(d.target))
    train, val = random_split(full, [1440, 357], generator=torch.Generator().manual_seed(a.seed))
    train_loader = DataLoader(train, batch_size=48, shuffle=True, drop_last=True)
    val_loader = DataLoader(val, batch_size=128)

    model = network()
    opt = torch.optim.SGD(model.parameters(), lr=a.lr, momentum=0.8, weight_decay=5e-4)
    for epoch in range(a.epochs):
        model.train()
        train_loss = 0.0
        for x, y in train_loader:
            loss = F.cross_entropy(model(x + 0.15 * torch.randn_like(x)), y)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            opt.step()
            if epoch >= a.cool_after:
                model[-1].temperature.mul_(a.cooling)
            train_loss += loss.item() / len(train_loader)
        print(f"epoch {epoch:2d}  train {train_loss:.4f}  val {evaluate(model, val_loader):.4f}")


if __name__ == "__main__":
    main()
