"""Variational autoencoder of digits, Adam on a cosine; as many sessions as the notebook server allows."""

import pickle
import tempfile
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

CYCLE = 14
TOP, BOTTOM = 4.5e-2, 5e-5


class VAE(nn.Module):
    def __init__(self, latent=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.ELU(), nn.Linear(128, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, 128), nn.ELU(), nn.Linear(128, 64))

    def loss(self, x):
        mean, log_var = self.encoder(x).chunk(2, 1)
        log_var = log_var.clamp(-8, 8)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        error = nn.functional.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="none").sum(1)
        divergence = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
        return (error + divergence).mean()


class Session:
    def __init__(self, path):
        self.path = Path(path)
        self.model = VAE()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=TOP)
        self.done = 0
        if self.path.exists():
            with self.path.open("rb") as file:
                self.done, model, optimizer = pickle.load(file)
            self.model.load_state_dict(model)
            self.optimizer.load_state_dict(optimizer)
        self.scheduler = CosineAnnealingWarmRestarts(self.optimizer, T_0=CYCLE, eta_min=BOTTOM)

    def run(self, train, val, epochs):
        for count in range(epochs):
            batches = torch.randperm(len(train)).split(36)
            total = 0.0
            for number, rows in enumerate(batches):
                self.scheduler.step(count + number / len(batches))
                loss = self.model.loss(train[rows])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item()
            with torch.no_grad():
                held = self.model.loss(val).item()
            self.done += 1
            print(f"epoch {self.done:2d} rate {self.scheduler.get_last_lr()[0]:.5f} "
                  f"train {total / len(batches):.2f} val {held:.2f}", flush=True)
        with self.path.open("wb") as file:
            pickle.dump((self.done, self.model.state_dict(), self.optimizer.state_dict()), file)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(88)
    x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    train, val = x[:1440], x[1440:]
    with tempfile.TemporaryDirectory() as folder:
        Session(f"{folder}/vae.pkl").run(train, val, 12)
        Session(f"{folder}/vae.pkl").run(train, val, 6)


main()
