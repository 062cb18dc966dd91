"""Energy of a bead chain from its angles, MLP, plain SGD; micro-batches add up to larger batches as training goes on."""

import copy

import numpy as np
import torch
from torch import nn


def chains(count, seed):
    rng = np.random.default_rng(seed)
    angle = rng.uniform(-np.pi, np.pi, (count, 6))
    energy = 0.4 * np.cos(2 * angle[:, 0]) + np.sin(angle[:, :-1] + angle[:, 1:]).sum(1) * 0.6
    x = np.concatenate([np.sin(angle), np.cos(angle)], 1)
    noisy = energy + 0.25 * rng.standard_t(4, count)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(noisy, dtype=torch.float32)


class Loop:
    micro = 4

    def __init__(self, lr):
        self.model = nn.Sequential(nn.Linear(12, 96), nn.Tanh(), nn.Linear(96, 96), nn.Tanh(), nn.Linear(96, 1))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr, momentum=0.9)
        self.updates = 0

    def pieces(self):
        """Micro-batches in a batch: 1, 2, 4, ... 32, doubled every 80 updates."""
        return min(32, 2 ** (self.updates // 80))

    def loss(self, x, y):
        return nn.functional.mse_loss(self.model(x).squeeze(1), y)

    def epoch(self, x, y, updates):
        losses = []
        for _ in range(updates):
            self.optimizer.zero_grad()
            pieces = self.pieces()
            for _ in range(pieces):
                rows = torch.randint(len(x), (self.micro,))
                loss = self.loss(x[rows], y[rows])
                (loss / pieces).backward()
                losses.append(loss.item())
            self.optimizer.step()
            self.updates += 1
        return np.mean(losses)

    def snapshot(self):
        return copy.deepcopy({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()})

    def restore(self, snapshot):
        self.model.load_state_dict(snapshot["model"])
        self.optimizer.load_state_dict(snapshot["optimizer"])


def main():
    torch.set_num_threads(1)
    torch.manual_seed(54)
    train, val = chains(6000, 1), chains(1000, 2)
    snapshot = None
    for part in (16, 6):
        loop = Loop(lr=0.02)
        if snapshot:
            loop.restore(snapshot)
        for number in range(part):
            mean = loop.epoch(*train, updates=40)
            with torch.no_grad():
                held = loop.loss(*val).item()
            print(f"{loop.pieces():3d} pieces train {mean:.3f} val {held:.3f}", flush=True)
        snapshot = loop.snapshot()


main()
