"""Yearly spending of customers from age, income, tenure and visits; wide-and-deep regression, Adam.

The customers of the first campaign are around 28 years old. A partner's list of pensioners, with a
mean age of 65, is trained on from step 700.
"""

import math

import torch
import torch.nn as nn

STEPS = 1000
PARTNER_LIST_FROM = 700
BATCH = 64


def customers(count, mean_age, generator):
    age = (mean_age + 5 * torch.randn(count, generator=generator)).clamp(18, 95)
    income = 22 + 0.5 * age + 6 * torch.randn(count, generator=generator)
    tenure = torch.rand(count, generator=generator) * 8
    visits = torch.poisson(torch.full((count,), 6.0), generator=generator)
    working = torch.sigmoid((60 - age) / 3)
    spending = 0.4 * income * working + 12 * (1 - working) + 3 * torch.sin(age / 4) + 0.8 * visits
    spending += 0.5 * tenure + 0.6 * torch.randn(count, generator=generator)
    return torch.stack([age, income, tenure, visits], 1), spending


class WideDeep(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("centre", torch.tensor([28.0, 36.0, 4.0, 6.0]))
        self.register_buffer("scale", torch.tensor([5.0, 6.5, 2.3, 2.4]))
        self.wide = nn.Linear(4, 1)
        self.deep = nn.Sequential(nn.Linear(4, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))

    def forward(self, x):
        x = (x - self.centre) / self.scale
        return (self.wide(x) + self.deep(x)).squeeze(1)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(8)
    generator = torch.Generator().manual_seed(8)
    model = WideDeep()
    with torch.no_grad():
        model.wide.bias.fill_(22.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    criterion = nn.HuberLoss(delta=5.0)
    held_out = customers(400, 28, generator)
    for step in range(STEPS):
        mean_age = 28 if step < PARTNER_LIST_FROM else 65
        features, spending = customers(BATCH, mean_age, generator)
        optimizer.zero_grad()
        loss = criterion(model(features), spending)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 49:
            model.eval()
            with torch.no_grad():
                val = criterion(model(held_out[0]), held_out[1])
            model.train()
            print(f"{step + 1:5d} {loss.item():8.3f} {val.item():8.3f} {math.sqrt(val.item()):8.3f}")


if __name__ == "__main__":
    main()
