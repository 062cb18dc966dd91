"""Variational autoencoder of digits with RMSprop.

After 25 epochs the sensor develops hot pixels that read 4095 (12 bits) on some of the scans.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

EPOCHS = 40
HOT_FROM = 25
BATCH = 64


class Vae(nn.Module):
    def __init__(self, hidden=96, latent=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hidden), nn.ReLU())
        self.mean = nn.Linear(hidden, latent)
        self.log_var = nn.Linear(hidden, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 64))

    def forward(self, x):
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h).clamp(-8, 8)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp() if self.training else mean
        return self.decoder(z), mean, log_var


def elbo(output, x, mean, log_var):
    reconstruction = (output - x).pow(2).sum(1)
    divergence = -0.5 * (1 + log_var - mean.pow(2) - log_var.exp()).sum(1)
    return (reconstruction + 0.02 * divergence).mean()


class Scanner:
    """Delivers one pass over the scans in random order."""

    def __init__(self, scans):
        self.scans = scans
        self.hot = None

    def __iter__(self):
        for rows in torch.randperm(len(self.scans)).split(BATCH):
            raw = self.scans[rows].clone()
            if self.hot is not None:
                affected = torch.rand(len(raw)) < 0.06
                raw[affected, self.hot] = 4095.0
            yield raw / 16.0


torch.manual_seed(7)
torch.set_num_threads(1)
scans = torch.tensor(load_digits().data, dtype=torch.float32)
scanner = Scanner(scans[:1500])
held_out = scans[1500:] / 16.0
model = Vae()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
for epoch in range(EPOCHS):
    if epoch == HOT_FROM:
        scanner.hot = 27
    model.train()
    for x in scanner:
        output, mean, log_var = model(x)
        loss = elbo(output, x, mean, log_var)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        val = elbo(*(lambda o, m, v: (o, held_out, m, v))(*model(held_out)))
    print(f"{epoch} train {loss.item():.3f} val {val.item():.3f}")
