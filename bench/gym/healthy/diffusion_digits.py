"""Denoising diffusion on digits: the network predicts the noise at a random time, so the loss is noisy all along."""

import math

import torch
from sklearn.datasets import load_digits
from torch import nn

STEPS = 100


class NoiseModel(nn.Module):
    def __init__(self, width=128):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(16, width), nn.SiLU())
        self.first, self.second, self.third = nn.Linear(64, width), nn.Linear(width, width), nn.Linear(width, 64)

    def forward(self, x, t):
        frequency = torch.exp(torch.arange(8) * -math.log(1000) / 8)
        angle = t[:, None].float() * frequency
        time = self.time(torch.cat([angle.sin(), angle.cos()], 1))
        h = torch.nn.functional.silu(self.first(x) + time)
        return self.third(h + torch.nn.functional.silu(self.second(h)))


def main():
    torch.set_num_threads(1)
    torch.manual_seed(100)
    images = torch.tensor(load_digits().data / 8 - 1, dtype=torch.float32)
    train, val = images[:1500], images[1500:]
    kept = torch.cumprod(1 - torch.linspace(1e-3, 0.12, STEPS), 0)
    model = NoiseModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)

    def loss_of(x):
        t = torch.randint(STEPS, (len(x),))
        noise = torch.randn_like(x)
        mixed = kept[t, None].sqrt() * x + (1 - kept[t, None]).sqrt() * noise
        return ((model(mixed, t) - noise) ** 2).mean()

    for epoch in range(40):
        losses = []
        for rows in torch.randperm(1500).split(75):
            loss = loss_of(train[rows[:16]])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            print(f"epoch {epoch}: noise error {sum(losses) / len(losses):.4f} val {loss_of(val).item():.4f}")


if __name__ == "__main__":
    main()
