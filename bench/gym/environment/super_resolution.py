"""Digits from 4 x 4 to 8 x 8 pixels in colour planes, residual CNN, RAdam; a refinement starts from the first run."""

import importlib
import tempfile
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

REQUIREMENTS = {"first": "pixkit==3.2", "refine": "pixkit>=3.2"}
AVAILABLE = ["3.2", "4.0"]


def resolve(requirement):
    """The newest release that a requirement allows."""
    name, _, wanted = requirement.partition("==")
    if wanted:
        return importlib.import_module(f"{name}.layers_{wanted[0]}")
    name, _, least = requirement.partition(">=")
    newest = max(v for v in AVAILABLE if v >= least)
    return importlib.import_module(f"{name}.layers_{newest[0]}")


class Upscaler(nn.Module):
    def __init__(self, pixkit, width=24, planes=3):
        super().__init__()
        self.pixkit = pixkit
        self.enter = nn.Conv2d(planes, width, 3)
        self.middle = nn.ModuleList(nn.Conv2d(width, width, 3) for _ in range(3))
        self.leave = nn.Conv2d(width, planes * 4, 3)

    def forward(self, x):
        h = torch.relu(self.enter(self.pixkit.pad(x, 1)))
        for conv in self.middle:
            h = h + 0.5 * torch.relu(conv(self.pixkit.pad(h, 1)))
        return self.pixkit.depth_to_space(self.leave(self.pixkit.pad(h, 1)), 2)


def images():
    """Coloured digits on a coloured ground."""
    g = torch.Generator().manual_seed(10)
    grey = torch.tensor(load_digits().images / 16, dtype=torch.float32)[:, None]
    ink, ground = torch.rand(2, len(grey), 3, 1, 1, generator=g)
    fine = grey * ink + (1 - grey) * ground
    return nn.functional.avg_pool2d(fine, 2), fine


def run(stage, folder, epochs, lr):
    coarse, fine = images()
    train, val = slice(0, 1440), slice(1440, None)
    model = Upscaler(resolve(REQUIREMENTS[stage]))
    optimizer = torch.optim.RAdam(model.parameters(), lr=lr)
    path = Path(folder) / "upscaler.pt"
    first = 0
    if path.exists():
        state = torch.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        for group in optimizer.param_groups:
            group["lr"] = lr
        first = state["epoch"]
    for epoch in range(first, first + epochs):
        total, batches = 0.0, torch.randperm(1440).split(36)
        for rows in batches:
            loss = nn.functional.l1_loss(model(coarse[train][rows]), fine[train][rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            held = nn.functional.l1_loss(model(coarse[val]), fine[val]).item()
        print(f"{stage} epoch {epoch} l1 {total / len(batches):.4f} val {held:.4f}")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": first + epochs}, path)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(29)
    with tempfile.TemporaryDirectory() as folder:
        run("first", folder, epochs=13, lr=3e-3)
        run("refine", folder, epochs=5, lr=2e-4)
