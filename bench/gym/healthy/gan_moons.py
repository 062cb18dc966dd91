"""A GAN on the two moons: generator and discriminator in turn."""

import torch
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(8)
torch.set_num_threads(1)
points = torch.tensor(make_moons(4000, noise=0.06, random_state=1)[0], dtype=torch.float32)
generator = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
discriminator = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
g_opt = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)

for step in range(900):
    real = points[torch.randint(len(points), (64,))]
    fake = generator(torch.randn(64, 8))
    d_loss = bce(discriminator(real), ones) + bce(discriminator(fake.detach()), zeros)
    d_opt.zero_grad()
    d_loss.backward()
    d_opt.step()

    g_loss = bce(discriminator(fake), ones)
    g_opt.zero_grad()
    g_loss.backward()
    g_opt.step()
    if step % 50 == 0:
        print(f"{step} D {d_loss.item():.3f} G {g_loss.item():.3f}")
