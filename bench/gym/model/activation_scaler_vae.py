"""VAE on digits; in the second stage hidden activations are kept at one scale by a running multiplier."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class UnitScale(nn.Module):
    """Multiplier that follows the spread of what leaves the layer, kept in a buffer (no learnt parameters)."""

    def __init__(self, target=0.4, rate=0.01):
        super().__init__()
        self.target, self.rate = target, rate
        self.enabled = False
        self.register_buffer("scale", torch.ones(()))

    def forward(self, h):
        if not self.enabled:
            return h
        out = h * self.scale
        if self.training:
            spread = out.detach().pow(2).mean().sqrt()
            self.scale = self.scale * (spread / self.target) ** self.rate
        return out


class VAE(nn.Module):
    def __init__(self, hidden=96, latent=8):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, hidden), nn.ELU(), UnitScale(), nn.Linear(hidden, hidden), nn.ELU(), UnitScale())
        self.mu, self.logvar = nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.dec = nn.Sequential(nn.Linear(latent, hidden), nn.ELU(), UnitScale(), nn.Linear(hidden, 64))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h).clamp(-8, 4)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp() if self.training else mu
        return self.dec(z), mu, logvar

    def unit_scale(self, on):
        for m in self.modules():
            if isinstance(m, UnitScale):
                m.enabled = on


def elbo(x, out, beta=0.5):
    logits, mu, logvar = out
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1)
    return (rec + beta * kl).mean()


def stage(model, opt, x, vx, epochs, batch, label):
    for e in range(epochs):
        model.train()
        acc, n = 0.0, 0
        for xb in x[torch.randperm(len(x))].split(batch):
            loss = elbo(xb, model(xb))
            opt.zero_grad()
            loss.backward()
            opt.step()
            acc += loss.item()
            n += 1
        model.eval()
        with torch.no_grad():
            v = elbo(vx, model(vx)).item()
        print(f"{label} {e:2d}: -elbo {acc / n:.3f}  val {v:.3f}")


torch.manual_seed(40)
torch.set_num_threads(1)
x = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
x = x[torch.randperm(len(x))]
x, vx = x[:1500], x[1500:]
vae = VAE()
opt = torch.optim.AdamW(vae.parameters(), lr=1.5e-3, weight_decay=1e-3)
stage(vae, opt, x, vx, 16, 60, "plain")
vae.unit_scale(True)
stage(vae, opt, x, vx, 16, 60, "scaled")
