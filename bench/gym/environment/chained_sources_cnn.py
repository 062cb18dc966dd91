"""Depth of dents from profile scans of three machines, 1-D CNN, SGD; the mixed stream can be saved and taken up.

Usage: chained_sources_cnn.py, which does both shifts one after another.
"""

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

torch.set_num_threads(1)


def scans(machine, count):
    """Profiles with a dent; the gain, the tilt and the polarity are those of the machine."""
    g = torch.Generator().manual_seed(machine)
    t = torch.linspace(-1, 1, 48)
    depth = torch.rand(count, 1, generator=g) * 2
    at = torch.rand(count, 1, generator=g) - 0.5
    width = 0.1 + 0.15 * torch.rand(count, 1, generator=g)
    gain = (1.0, 0.45, -0.7)[machine]
    tilt = (0.0, 0.8, -0.5)[machine]
    profile = gain * depth * torch.exp(-(((t - at) / width) ** 2)) + tilt * t + 0.05 * torch.randn(count, 48, generator=g)
    return profile.unsqueeze(1), depth.squeeze(1) - 1


class Mixture(IterableDataset):
    """An endless stream from several sources: each example from one drawn by weight."""

    def __init__(self, sources, weights, seed):
        self.sources = sources
        self.weights = torch.tensor(weights)
        self.generator = torch.Generator().manual_seed(seed)
        self.cursors = [0] * len(sources)
        self.source = 0

    def __iter__(self):
        while True:
            if self.weights is not None:
                self.source = int(torch.multinomial(self.weights, 1, generator=self.generator))
            x, y = self.sources[self.source]
            at = self.cursors[self.source]
            if at == len(x):
                self.cursors[self.source] = 0
                self.source = (self.source + 1) % len(self.sources)
                continue
            self.cursors[self.source] += 1
            yield x[at], y[at]

    def state_dict(self):
        return {"cursors": list(self.cursors), "source": self.source, "generator": self.generator.get_state()}

    @classmethod
    def from_state(cls, sources, state):
        stream = cls(sources, [1.0] * len(sources), 0)
        stream.weights = state.get("weights")
        stream.cursors, stream.source = list(state["cursors"]), state["source"]
        stream.generator.set_state(state["generator"])
        return stream


class Dent(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, 16, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(16, 24, 5, padding=2), nn.ReLU(), nn.AdaptiveMaxPool1d(3), nn.Flatten(),
            nn.Linear(72, 40), nn.ReLU(), nn.Linear(40, 1),
        )

    def forward(self, x):
        return self.net(x).squeeze(1)


def shift(stream, model, optimizer, val, name, epochs):
    batches = iter(DataLoader(stream, batch_size=30))
    for epoch in range(epochs):
        total = 0.0
        for _ in range(60):
            x, y = next(batches)
            loss = nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            held = nn.functional.mse_loss(model(val[0]), val[1]).item()
        print(f"{name} {epoch} train {total / 60:.4f} val {held:.4f}")
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "stream": stream.state_dict()}


def main():
    torch.manual_seed(47)
    everything = [scans(m, 1100) for m in range(3)]
    sources = [(x[:900], y[:900]) for x, y in everything]
    val = torch.cat([x[900:] for x, _ in everything]), torch.cat([y[900:] for _, y in everything])
    model = Dent()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    stream = Mixture(sources, [0.4, 0.3, 0.3], seed=3)
    saved = shift(stream, model, optimizer, val, "early", 10)

    model = Dent()
    model.load_state_dict(saved["model"])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    optimizer.load_state_dict(saved["optimizer"])
    stream = Mixture.from_state(sources, saved["stream"])
    shift(stream, model, optimizer, val, "late", 5)


main()
