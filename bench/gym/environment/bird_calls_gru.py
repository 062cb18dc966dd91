"""Synthetic bird calls told apart by a GRU over spectrograms, Adamax; trained further after the summer's upgrade.

The environment that a worker gets is named by the variable WORKER_ENV, as set by the scheduler of the cluster.
"""

import importlib
import os
import subprocess
import sys

import numpy as np
import torch
from torch import nn

ENVIRONMENTS = {"py38": "wavekit.v1", "py311": "wavekit.v2"}
SPECIES, SAMPLES = 8, 256
PATH = "birds.pt"


class Calls:
    """Calls of eight species: one or two rising or falling notes, with or without a trill."""

    def __init__(self, count, seed):
        rng = np.random.default_rng(seed)
        self.label = torch.tensor(rng.integers(0, SPECIES, count))
        waves = [self.call(int(s), rng) for s in self.label]
        self.wave = torch.tensor(np.stack(waves), dtype=torch.float32)

    @staticmethod
    def call(species, rng):
        t = np.arange(SAMPLES) / SAMPLES
        pitch = 30 + rng.uniform(0, 25)
        sweep = (40 if species & 1 else -15) * (t if species & 2 else np.abs(2 * t - 1))
        trill = 6 * np.sin(2 * np.pi * 9 * t) * bool(species & 4)
        phase = 2 * np.pi * np.cumsum(pitch + sweep + trill) / SAMPLES
        envelope = np.exp(-(((t - rng.uniform(0.4, 0.6)) / 0.3) ** 2))
        return rng.uniform(0.5, 1.5) * envelope * np.sin(phase) + 0.25 * rng.normal(size=SAMPLES)


class Listener(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(17, 40, batch_first=True)
        self.out = nn.Linear(80, SPECIES)

    def forward(self, spec):
        h, last = self.gru(spec)
        return self.out(torch.cat([h.mean(1), last[0]], 1))


class Training:
    def __init__(self, lr):
        torch.manual_seed(81)
        self.wavekit = importlib.import_module(ENVIRONMENTS[os.environ["WORKER_ENV"]])
        print("wavekit", self.wavekit.__version__, flush=True)
        self.train, self.val = Calls(1440, 1), Calls(400, 2)
        self.model = Listener()
        self.optimizer = torch.optim.Adamax(self.model.parameters(), lr=lr)
        self.epoch = 0
        if os.path.exists(PATH):
            state = torch.load(PATH)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.optimizer.param_groups[0]["lr"] = lr
            self.epoch = state["epoch"]

    def loss(self, calls, rows):
        spec = self.wavekit.spectrogram(calls.wave[rows])
        return nn.functional.cross_entropy(self.model(spec), calls.label[rows])

    def go(self, epochs):
        for _ in range(epochs):
            total = []
            for rows in torch.randperm(1440).split(32):
                loss = self.loss(self.train, rows)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total.append(loss.item())
            with torch.no_grad():
                held = self.loss(self.val, slice(None)).item()
            self.epoch += 1
            print(f"epoch {self.epoch:2d} train {np.mean(total):.3f} val {held:.3f}", flush=True)
        torch.save(
            {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "epoch": self.epoch}, PATH
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    if "WORKER_ENV" in os.environ:
        Training(float(sys.argv[1])).go(int(sys.argv[2]))
    else:
        if os.path.exists(PATH):
            os.remove(PATH)
        for name, lr, epochs in (("py38", "0.01", "12"), ("py311", "0.001", "5")):
            subprocess.run([sys.executable, __file__, lr, epochs], env=os.environ | {"WORKER_ENV": name}, check=True)
