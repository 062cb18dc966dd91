"""Image body frozen for two epochs, then trained with its head; checkpoints as one file per tensor. SGD, momentum."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


class ShardedCheckpoint:
    """One .npy file per tensor. Tensors that are not trained are written once, as they do not change."""

    def __init__(self, folder, model):
        self.folder = Path(folder)
        self.static = {name for name, p in model.named_parameters() if not p.requires_grad}

    def save(self, model, optimizer, epoch):
        for name, value in model.state_dict().items():
            path = self.folder / f"{name}.npy"
            if name in self.static and path.exists():
                continue
            np.save(path, value.numpy())
        torch.save({"epoch": epoch, "optimizer": optimizer.state_dict()}, self.folder / "rest.pt")

    def load(self, model, optimizer):
        state = {name: torch.from_numpy(np.load(self.folder / f"{name}.npy")) for name in model.state_dict()}
        model.load_state_dict(state)
        rest = torch.load(self.folder / "rest.pt")
        optimizer.load_state_dict(rest["optimizer"])
        return rest["epoch"]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 10, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
            nn.Conv2d(10, 20, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        )
        self.head = nn.Sequential(nn.Linear(80, 40), nn.Tanh(), nn.Linear(40, 10))

    def forward(self, x):
        return self.head(self.body(x))


def set_frozen(net, frozen):
    for p in net.body.parameters():
        p.requires_grad_(not frozen)


def train(net, optimizer, checkpoint, data, first, last, unfreeze_at=2):
    x, y, vx, vy = data
    for epoch in range(first, last):
        set_frozen(net, epoch < unfreeze_at)
        total = 0.0
        batches = torch.randperm(len(x)).split(30)
        for rows in batches:
            loss = nn.functional.multi_margin_loss(net(x[rows]), y[rows], p=2, margin=1.0)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            val = nn.functional.multi_margin_loss(net(vx), vy, p=2, margin=1.0).item()
        print(f"epoch {epoch:2d} hinge {total / len(batches):.4f} val {val:.4f}")
        checkpoint.save(net, optimizer, epoch + 1)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(18)
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
    target = torch.tensor(digits.target)
    order = torch.randperm(len(target))
    a, b = order[:1440], order[1440:]
    data = images[a], target[a], images[b], target[b]

    net = Net()
    set_frozen(net, True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = ShardedCheckpoint(folder, net)
        train(net, optimizer, checkpoint, data, 0, 11)

        # second round, from the last state, at a fifth of the rate
        net = Net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        epoch = checkpoint.load(net, optimizer)
        for group in optimizer.param_groups:
            group["lr"] = 0.01
        train(net, optimizer, checkpoint, data, epoch, epoch + 6)


main()
