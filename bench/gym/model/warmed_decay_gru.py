"""Which kind of wave is it? A GRU on generated signals, validated with averaged weights whose decay is warmed up."""
from copy import deepcopy

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

torch.set_num_threads(1)


def make(n, seed, length=40):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, length)[None]
    kind = rng.integers(0, 4, n)
    f, ph = rng.uniform(2, 6, (n, 1)), rng.uniform(0, 1, (n, 1))
    phase = (f * t + ph) % 1
    shapes = np.stack([np.sin(2 * np.pi * phase), np.sign(phase - 0.5), 2 * phase - 1, 1 - 4 * np.abs(phase - 0.5)])
    x = shapes[kind, np.arange(n)] + 0.3 * rng.standard_normal((n, length))
    return torch.tensor(x, dtype=torch.float32).unsqueeze(-1), torch.tensor(kind)


class WaveGRU(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.fc = nn.Sequential(nn.Linear(2 * hidden, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, x):
        h, last = self.gru(x)
        return self.fc(torch.cat([h.mean(1), last[0]], 1))


class WarmedDecay:
    """Decay rises by a fixed step an epoch, so that the average forgets the random start and is long later."""

    def __init__(self, low, step):
        self.low, self.step, self.value = low, step, low

    def set_epoch(self, epoch):
        self.value = self.low + self.step * epoch

    def __call__(self, averaged, current, count):
        return averaged * self.value + current * (1 - self.value)


def main(epochs=20):
    torch.manual_seed(42)
    x, y = make(1920, 0)
    vx, vy = make(400, 1)
    model = WaveGRU()
    decay = WarmedDecay(0.90, 0.008)
    average = AveragedModel(deepcopy(model), avg_fn=decay)
    opt = torch.optim.NAdam(model.parameters(), lr=2e-3)
    for epoch in range(epochs):
        decay.set_epoch(epoch)
        model.train()
        losses = []
        for rows in torch.randperm(len(y)).split(48):
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
            average.update_parameters(model)
            losses.append(loss.item())
        average.eval()
        with torch.no_grad():
            val = nn.functional.cross_entropy(average(vx), vy).item()
        print(f"epoch {epoch:2d} train {np.mean(losses):.4f} val {val:.4f}")


main()
