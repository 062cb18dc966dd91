"""Concrete-like strength from a mix of ingredients, MLP with AdamW; validated with averaged weights, at first in detail."""

import numpy as np
import torch
from torch import nn

SETTINGS = {"epochs": 24, "batch": 40, "lr": 2e-3, "decay": 0.998, "detailed": 14, "seed": 13}


def mixes(count, seed):
    rng = np.random.default_rng(seed)
    parts = rng.dirichlet([4, 2, 1, 2, 1.5, 3], count)
    age = rng.exponential(1.0, (count, 1))
    ratio = parts[:, 3] / (parts[:, 0] + 0.5 * parts[:, 1] + 0.05)
    strength = 3.5 / (1 + 4 * ratio**1.5) * (1 - np.exp(-1.2 * age[:, 0])) + 1.4 * np.sin(9 * parts[:, 5]) * parts[:, 4]
    strength += 0.03 * rng.normal(size=count)
    x = np.concatenate([(parts - 1 / 6) * 6, age - 1], 1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(strength, dtype=torch.float32)


class Averaged:
    """Polyak average of a model's parameters, which can be put in their place for a while."""

    def __init__(self, model, decay):
        self.parameters = list(model.parameters())
        self.decay = decay
        self.shadow = [p.detach().clone() for p in self.parameters]
        self.backup = None

    @torch.no_grad()
    def update(self):
        for s, p in zip(self.shadow, self.parameters):
            s.mul_(self.decay).add_(p, alpha=1 - self.decay)

    @torch.no_grad()
    def swap_in(self):
        self.backup = [p.clone() for p in self.parameters]
        for s, p in zip(self.shadow, self.parameters):
            p.copy_(s)

    @torch.no_grad()
    def swap_out(self):
        for b, p in zip(self.backup, self.parameters):
            p.copy_(b)


class Validation:
    def __init__(self, model, averaged, data):
        self.model, self.averaged, self.data = model, averaged, data

    def __call__(self, detailed):
        x, y = self.data
        self.averaged.swap_in()
        with torch.no_grad():
            out = self.model(x).squeeze(1)
        value = nn.functional.huber_loss(out, y, delta=0.5).item()
        if not detailed:
            return value, ""
        young = x[:, -1] < -0.5
        errors = [(out - y)[part].abs().mean().item() for part in (young, ~young)]
        self.averaged.swap_out()
        return value, "young {:.3f} old {:.3f}".format(*errors)


def main():
    s = SETTINGS
    torch.set_num_threads(1)
    torch.manual_seed(s["seed"])
    x, y = mixes(1600, 1)
    model = nn.Sequential(nn.Linear(7, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=s["lr"])
    averaged = Averaged(model, s["decay"])
    validate = Validation(model, averaged, mixes(400, 2))
    for epoch in range(s["epochs"]):
        losses = []
        for rows in torch.randperm(len(x)).split(s["batch"]):
            loss = nn.functional.huber_loss(model(x[rows]).squeeze(1), y[rows], delta=0.5)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            averaged.update()
            losses.append(loss.item())
        value, details = validate(epoch < s["detailed"])
        print(f"epoch {epoch:2d} train {np.mean(losses):.5f} val {value:.5f} {details}")


main()
