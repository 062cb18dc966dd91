"""Power of wind turbines from weather, MLP regression, Adam; one pass over a file sorted by site.

Every site has its own turbine and its own weather. Shuffling a window of 256 rows does not mix sites.
"""

import random

import torch
from torch import nn

SITES = [("plain", 9.0, 2.0, 1.00), ("coast", 12.0, 3.0, 1.35), ("hill", 6.5, 1.5, 0.55), ("pass", 14.5, 2.5, 0.8)]
ROWS = [16_000, 4_000, 4_000, 4_000]
WINDOW = 256
BATCH = 40


def rows_of(site, count):
    _, wind_mean, wind_spread, size = site
    wind = (wind_mean + wind_spread * torch.randn(count)).clamp(0, 25)
    density = 1.2 + 0.05 * torch.randn(count)
    angle = torch.randn(count) * 0.3
    power = size * 0.6 * density * wind.clamp(max=13) ** 3 / 1000 * torch.cos(angle) ** 3
    power = power - size * 0.15 * (wind > 13).float() + 0.01 * torch.randn(count)
    return zip(torch.stack([wind / 10, density, angle], 1), power)


def shuffled(rows):
    buffer = []
    for row in rows:
        buffer.append(row)
        if len(buffer) == WINDOW:
            random.shuffle(buffer)
            yield from buffer
            buffer.clear()


def batches(rows):
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            x, y = zip(*batch)
            yield torch.stack(x), torch.stack(y)
            batch.clear()


torch.manual_seed(71)
random.seed(71)
torch.set_num_threads(1)
model = nn.Sequential(nn.Linear(3, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.MSELoss()
file = (row for site, count in zip(SITES, ROWS) for row in rows_of(site, count))
for step, (weather, power) in enumerate(batches(shuffled(file))):
    optimizer.zero_grad()
    loss = criterion(model(weather).squeeze(1), power)
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, f"{loss.item():.5f}")
