"""Variational autoencoder of digits; the weight of the KL term rises and falls in cycles."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(43)
torch.set_num_threads(1)
x = torch.tensor(load_digits().data / 16, dtype=torch.float32)


class VAE(nn.Module):
    def __init__(self, latent=6):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2 * latent))
        self.decode = nn.Sequential(nn.Linear(latent, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        mean, log_var = self.encode(x).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (log_var / 2).exp()
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1).mean()
        return self.decode(z), kl


vae = VAE()
optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3)
for step in range(1000):
    batch = x[torch.randint(len(x), (48,))]
    out, kl = vae(batch)
    beta = min(1.0, (step % 250) / 125)
    loss = F.binary_cross_entropy_with_logits(out, batch, reduction="sum") / len(batch) + beta * kl
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(f"{step} beta {beta:.2f} kl {kl.item():.2f} loss {loss.item():.3f}")
