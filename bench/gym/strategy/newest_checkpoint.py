"""Variational autoencoder on digits; every epoch is saved, and a separate evaluation reads the newest checkpoint."""

import shutil
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

FOLDER = Path("vae_checkpoints")


class VAE(nn.Module):
    def __init__(self, latent=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, 96), nn.GELU(), nn.Linear(96, 64))

    def forward(self, x, sample=True):
        mean, logvar = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * (logvar / 2).exp() if sample else mean
        bits = F.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="none").sum(1)
        kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1)
        return bits + kl


def train_epoch(model, optimizer, images):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(images)).split(60):
        loss = model(images[rows]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(images)


def save(model, epoch):
    torch.save(model.state_dict(), FOLDER / f"epoch_{epoch}.pt")


@torch.no_grad()
def evaluate_newest(images):
    newest = sorted(FOLDER.glob("epoch_*.pt"))[-1]
    model = VAE()
    model.load_state_dict(torch.load(newest))
    model.eval()
    return model(images, sample=False).mean().item()


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    FOLDER.mkdir(exist_ok=True)
    images = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    train, val = images[:1500], images[1500:]
    model = VAE()
    optimizer = torch.optim.Adamax(model.parameters(), lr=2e-3)
    for epoch in range(36):
        elbo = train_epoch(model, optimizer, train)
        save(model, epoch)
        with torch.random.fork_rng():
            checked = evaluate_newest(val)
        print(f"epoch {epoch:2d}: train {elbo:.3f} val {checked:.3f}")
    shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
