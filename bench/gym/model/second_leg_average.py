"""Convolutional autoencoder of digits in two legs of a cosine schedule with restarts; averaged weights are validated."""
import math

import torch
from sklearn.datasets import load_digits
from torch import nn


def encoder(channels):
    return nn.Sequential(nn.Conv2d(1, channels, 3, 2, 1), nn.GELU(), nn.Conv2d(channels, 2 * channels, 3, 2, 1), nn.GELU(),
                         nn.Flatten(), nn.Linear(8 * channels, 10))


def decoder(channels):
    return nn.Sequential(nn.Linear(10, 8 * channels), nn.GELU(), nn.Unflatten(1, (2 * channels, 2, 2)),
                         nn.ConvTranspose2d(2 * channels, channels, 4, 2, 1), nn.GELU(),
                         nn.ConvTranspose2d(channels, 1, 4, 2, 1), nn.Sigmoid())


class AutoEncoder(nn.Module):
    def __init__(self, channels=12):
        super().__init__()
        self.options = {"channels": channels}
        self.enc, self.dec = encoder(channels), decoder(channels)

    def forward(self, x):
        return self.dec(self.enc(x))


class Ema:
    def __init__(self, decay):
        self.decay, self.module = decay, None

    def start(self, model):
        self.module = type(model)(**model.options)
        self.module.requires_grad_(False)

    def update(self, model):
        for slow, fast in zip(self.module.parameters(), model.parameters()):
            slow.lerp_(fast.detach(), 1 - self.decay)


class Leg:
    def __init__(self, epochs, top_lr, decay):
        self.epochs, self.top_lr, self.ema = epochs, top_lr, Ema(decay)

    def lr(self, progress):
        return self.top_lr * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress)))


def main():
    torch.manual_seed(37)
    torch.set_num_threads(1)
    x = torch.tensor(load_digits().images / 16, dtype=torch.float32)[:, None]
    x = x[torch.randperm(len(x))]
    train, val = x[:1536], x[1536:]
    model = AutoEncoder()
    done = 0
    for leg in (Leg(16, 4e-3, 0.97), Leg(10, 2e-3, 0.9985)):
        leg.ema.start(model)
        opt = torch.optim.Adamax(model.parameters(), lr=leg.top_lr)
        for epoch in range(leg.epochs):
            for g in opt.param_groups:
                g["lr"] = leg.lr(epoch / leg.epochs)
            total = 0.0
            for batch in train[torch.randperm(len(train))].split(48):
                loss = nn.functional.mse_loss(model(batch), batch)
                opt.zero_grad()
                loss.backward()
                opt.step()
                leg.ema.update(model)
                total += loss.item() * len(batch) / len(train)
            v = nn.functional.mse_loss(leg.ema.module(val), val).item()
            print(f"epoch {done:2d} train {total:.5f} val {v:.5f}")
            done += 1


main()
