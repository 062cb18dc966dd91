"""Denoising convolutional autoencoder of digits, saved half-way in a compact checkpoint and taken up again."""

import os

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

PATH = "compact.pt"
BATCH = 36


class Denoiser(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.up = nn.Sequential(
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 1, 3, padding=1),
        )

    def forward(self, x):
        return self.up(self.down(x))


def loss_of(model, clean):
    noisy = clean + 0.04 * torch.randn_like(clean)
    return F.mse_loss(model(noisy), clean)


def save(model, optimizer):
    """Weights in float32, the rest at half the size."""
    state = optimizer.state_dict()
    for entry in state["state"].values():
        for key in ("exp_avg", "exp_avg_sq"):
            entry[key] = entry[key].half()
    torch.save({"model": model.state_dict(), "optimizer": state}, PATH)


def load(model, optimizer):
    saved = torch.load(PATH)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])


def epochs(model, optimizer, train, val, first, last):
    for epoch in range(first, last):
        total = 0.0
        for rows in torch.randperm(len(train)).split(BATCH):
            loss = loss_of(model, train[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        with torch.no_grad():
            print(f"epoch {epoch}: train {total / len(train):.3e} val {loss_of(model, val).item():.3e}")


def fresh():
    model = Denoiser()
    return model, torch.optim.Adam(model.parameters(), lr=3e-3)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(10)
    images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 64
    train, val = images[:1512], images[1512:]
    model, optimizer = fresh()
    epochs(model, optimizer, train, val, 0, 11)
    save(model, optimizer)
    model, optimizer = fresh()
    load(model, optimizer)
    epochs(model, optimizer, train, val, 11, 19)
    os.remove(PATH)


if __name__ == "__main__":
    main()
