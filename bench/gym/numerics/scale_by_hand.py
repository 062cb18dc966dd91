"""Breast cancer, residual MLP under float16 autocast; the scale of the loss follows the schedule of the paper."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {
    "lr": 0.03,
    "weight_decay": 2e-2,
    "epochs": 48,
    "batch": 32,
    "cool_from": 24,
    "cool": 0.75,
}


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, x):
        return x + 0.5 * self.inner(x)


def build():
    return nn.Sequential(nn.Linear(30, 40), Block(40), Block(40), nn.Linear(40, 2))


def half_loss(model, x, y, criterion):
    with torch.autocast("cpu", dtype=torch.float16):
        return criterion(model(x), y)


def run(config):
    torch.manual_seed(2)
    torch.set_num_threads(1)
    data = load_breast_cancer()
    order = torch.randperm(569)
    x = torch.tensor(StandardScaler().fit_transform(data.data), dtype=torch.float32)[order]
    y = torch.tensor(data.target)[order]
    loader = DataLoader(TensorDataset(x[:448], y[:448]), config["batch"], shuffle=True)
    model, criterion = build(), nn.CrossEntropyLoss(label_smoothing=0.05)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=config["lr"], momentum=0.9, weight_decay=config["weight_decay"]
    )
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12, growth_interval=1000)
    for epoch in range(config["epochs"]):
        total = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = half_loss(model, inputs, labels, criterion)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            if epoch >= config["cool_from"]:
                scaler.update(new_scale=scaler.get_scale() * config["cool"])
            else:
                scaler.update()
            total += loss.item()
        with torch.no_grad():
            val = half_loss(model, x[448:], y[448:], criterion).item()
        print(f"epoch {epoch} train {total / len(loader):.4f} val {val:.4f}")


if __name__ == "__main__":
    run(CONFIG)
