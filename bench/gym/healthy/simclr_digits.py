"""Contrastive pretraining (NT-Xent) on digits: two shifted, noisy views of each image."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


def view(images):
    shift = torch.randint(-1, 2, (2,)).tolist()
    return torch.roll(images, shift, (2, 3)) + 0.15 * torch.randn_like(images)


def nt_xent(a, b, temperature):
    z = F.normalize(torch.cat([a, b]), dim=1)
    similarity = z @ z.T / temperature
    similarity.fill_diagonal_(float("-inf"))
    partner = torch.arange(len(z)).roll(len(a))
    return F.cross_entropy(similarity, partner)


torch.manual_seed(2)
torch.set_num_threads(1)
images = torch.tensor(load_digits().images / 16, dtype=torch.float32)[:, None]
encoder = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(144, 32)
)
optimizer = torch.optim.AdamW(encoder.parameters(), lr=2e-3, weight_decay=1e-3)
for step in range(600):
    batch = images[torch.randint(len(images), (64,))]
    loss = nt_xent(encoder(view(batch)), encoder(view(batch)), 0.2)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 40 == 0:
        print(f"step {step} nt-xent {loss.item():.4f}")
