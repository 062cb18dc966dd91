"""Digits, CNN, trained in two sittings: the second goes on from the checkpoint of the first."""

import subprocess
import sys

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CHECKPOINT = "sitting.pt"
EPOCHS = {"1": (0, 10), "2": (10, 18)}


def train(sitting):
    torch.set_num_threads(1)
    torch.manual_seed(40)
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
    data = TensorDataset(images[:1500], torch.tensor(digits.target[:1500]))
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3), nn.BatchNorm2d(12), nn.ReLU(), nn.Flatten(), nn.Linear(432, 32), nn.ReLU(), nn.Linear(32, 10)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=18)
    first, last = EPOCHS[sitting]
    if sitting == "2":
        saved = torch.load(CHECKPOINT)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        scheduler.load_state_dict(saved["scheduler"])
        torch.set_rng_state(saved["rng"])
    for epoch in range(first, last):
        model.train()
        for image, label in DataLoader(data, 30, shuffle=True):
            loss = nn.functional.cross_entropy(model(image), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        print(f"epoch {epoch} loss {loss.item():.4f} lr {scheduler.get_last_lr()[0]:.2e}", flush=True)
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save({**state, "scheduler": scheduler.state_dict(), "rng": torch.get_rng_state()}, CHECKPOINT)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        train(sys.argv[1])
    else:
        for number in EPOCHS:
            subprocess.run([sys.executable, __file__, number], check=True)
