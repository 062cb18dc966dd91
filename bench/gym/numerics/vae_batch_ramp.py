"""Variational autoencoder of enlarged digits with a learned width of the noise, under float16 autocast.

The batch grows every few epochs.
."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SIZE = 24
RAMP = {0: 8, 1: 24, 5: 64, 9: 128}


class VAE(nn.Module):
    def __init__(self, pixels=SIZE * SIZE, hidden=120, latent=12):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.ReLU())
        self.mean, self.logvar = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.log_sigma = nn.Parameter(torch.tensor(1.0))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels))

    def forward(self, x):
        h = self.encoder(x)
        mean, logvar = self.mean(h), self.logvar(h).clamp(-8, 4)
        z = mean + torch.randn_like(mean) * (0.5 * logvar).exp()
        return self.decoder(z), mean, logvar

    def negative_elbo(self, x):
        out, mean, logvar = self(x)
        squared = ((out - x.to(out.dtype)) ** 2).sum()
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum()
        return (squared * (-2 * self.log_sigma).exp() / 2 + kl) / len(x) + x.shape[1] * self.log_sigma


def enlarged():
    images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 2 - 4
    return F.interpolate(images, SIZE, mode="bilinear").flatten(1)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(18)
    images = enlarged()
    train, val = TensorDataset(images[:1536]), images[1536:]
    model = VAE()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    for epoch in range(17):
        if epoch in RAMP:
            loader = DataLoader(train, RAMP[epoch], shuffle=True)
        seen = 0.0
        for (x,) in loader:
            with torch.autocast("cpu", dtype=torch.float16):
                loss = model.negative_elbo(x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen += loss.item() * len(x)
        with torch.no_grad():
            checked = sum(model.negative_elbo(part).item() * len(part) for part in val.split(29)) / len(val)
        print(f"epoch {epoch} (batch {loader.batch_size}) loss {seen / 1536:.2f} val {checked:.2f}")


main()
