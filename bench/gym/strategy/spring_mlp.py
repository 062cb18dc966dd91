"""Period of a pendulum with two springs (generated), MLP regression; Adam with a one-cycle like plan, then another cycle."""

import math

import torch
from torch import nn

PLAN = [
    {"cycle": 1, "epochs": 18, "rise": 100},
    {"cycle": 2, "epochs": 10, "rise": 0},
]
PEAK = 0.01


def factor(step, rise, total):
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (total - rise))) + 1e-3


def make_data(count):
    x = torch.rand(count, 5)
    mass, length, k1, k2, tilt = (0.5 + x).unbind(1)
    period = 2 * math.pi * torch.sqrt(mass * length / (9.8 * mass * torch.cos(tilt * 0.6) + (k1 + 2 * k2) * length))
    return (x - 0.5) * 3.4, (period - 1.6) * 3


class Regressor(nn.Module):
    def __init__(self, width=128):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(5, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x).squeeze(1)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(33)
    x, y = make_data(2000)
    fit, held = slice(0, 1600), slice(1600, 2000)
    model, criterion = Regressor(), nn.HuberLoss()
    for plan in PLAN:
        batches = 25
        optimizer = torch.optim.Adam(model.parameters(), lr=PEAK)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step, plan=plan: factor(step, plan["rise"], plan["epochs"] * batches)
        )
        for epoch in range(plan["epochs"]):
            losses = []
            for rows in torch.randperm(1600).split(64):
                loss = criterion(model(x[fit][rows]), y[fit][rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
            with torch.no_grad():
                val = criterion(model(x[held]), y[held]).item()
            print(f"cycle {plan['cycle']} epoch {epoch}: train {sum(losses) / len(losses):.2e} val {val:.2e}")


if __name__ == "__main__":
    main()
