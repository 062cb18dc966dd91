"""Handwritten digits with an MLP and BatchNorm; layer options are read from a config that was ported from another library."""
import copy

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BASE = {
    "hidden": [128, 64],
    "optimizer": {"lr": 0.01, "momentum": 0.9, "nesterov": True},
    "batch_size": 36,
    "epochs": 12,
}
# second phase: options of the published recipe
FINE = {
    **copy.deepcopy(BASE),
    "optimizer": {"lr": 0.002, "momentum": 0.9, "nesterov": True},
    "batch_norm": {"momentum": 0.99, "eps": 1e-5},
    "epochs": 12,
}


def build(cfg):
    layers, width = [], 64
    for h in cfg["hidden"]:
        layers += [nn.Linear(width, h), nn.BatchNorm1d(h), nn.ReLU()]
        width = h
    return nn.Sequential(*layers, nn.Linear(width, 10))


def configure(model, cfg):
    for m in model.modules():
        if isinstance(m, nn.BatchNorm1d):
            for key, value in cfg.get("batch_norm", {}).items():
                setattr(m, key, value)
    return torch.optim.SGD(model.parameters(), **cfg["optimizer"])


def score(model, loader):
    model.eval()
    total = n = 0
    with torch.inference_mode():
        for x, y in loader:
            total += nn.functional.cross_entropy(model(x), y, reduction="sum").item()
            n += len(y)
    return total / n


def train(model, cfg, train_set, val_set, first_epoch):
    optimizer = configure(model, cfg)
    loader = DataLoader(train_set, batch_size=cfg["batch_size"], shuffle=True)
    val_loader = DataLoader(val_set, batch_size=100)
    for epoch in range(first_epoch, first_epoch + cfg["epochs"]):
        model.train()
        running, count = 0.0, 0
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running += loss.item() * len(y)
            count += len(y)
        print(f"epoch {epoch:2d}  train {running / count:.4f}  val {score(model, val_loader):.4f}")
    return first_epoch + cfg["epochs"]


def main():
    torch.manual_seed(44)
    torch.set_num_threads(1)
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    order = torch.randperm(len(y))
    # 1480 rows for training
    train_set, val_set = TensorDataset(x[order[:1480]], y[order[:1480]]), TensorDataset(x[order[1480:]], y[order[1480:]])
    model = build(BASE)
    epoch = train(model, BASE, train_set, val_set, 0)
    train(model, FINE, train_set, val_set, epoch)


if __name__ == "__main__":
    main()
