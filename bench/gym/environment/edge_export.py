"""Keyword spotting on synthetic chirps: 1-D CNN, SGD with momentum; releases for the device are exported on the way."""

import io

import numpy as np
import torch
from torch import nn

SAMPLES, CLASSES = 96, 6


def chirps(count, seed):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, CLASSES, count)
    t = np.linspace(0, 1, SAMPLES)
    start, slope = 4 + 2.5 * (label % 3), np.where(label < 3, 8.0, -3.0)
    phase = rng.uniform(0, 6.28, count)
    wave = np.sin(2 * np.pi * (start[:, None] * t + slope[:, None] * t**2 / 2) + phase[:, None])
    wave = wave * np.hanning(SAMPLES) * rng.uniform(0.6, 1.4, (count, 1)) + 0.45 * rng.normal(size=(count, SAMPLES))
    return torch.tensor(wave, dtype=torch.float32)[:, None], torch.tensor(label)


class Spotter(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(1, 16, 9, stride=2, padding=4), nn.ReLU(),
            nn.Conv1d(16, 24, 9, stride=2, padding=4), nn.ReLU(),
            nn.Conv1d(24, 24, 5, padding=2), nn.ReLU(),
        )
        self.top = nn.Linear(24, CLASSES)

    def forward(self, x):
        return self.top(self.layers(x).amax(2))


class Exporter:
    """Writes the network with weights on a grid of a few bits, as the device has them."""

    def __init__(self, bits):
        self.bits = bits

    def on_grid(self, weight):
        top = 2 ** (self.bits - 1) - 1
        scale = weight.abs().max() / top
        return (weight / scale).round_().clamp_(-top, top).mul_(scale)

    def export(self, model):
        state = model.state_dict()
        for name, value in state.items():
            if value.ndim > 1:
                value.copy_(self.on_grid(value))
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return len(buffer.getvalue())


def accuracy_and_loss(model, data):
    with torch.no_grad():
        out = model(data[0])
    return (out.argmax(1) == data[1]).float().mean().item(), nn.functional.cross_entropy(out, data[1]).item()


def main(epochs=18, first_release=0.93, every=15):
    torch.set_num_threads(1)
    torch.manual_seed(71)
    x, y = chirps(1500, 1)
    val = chirps(400, 2)
    model = Spotter()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    exporter = Exporter(bits=2)
    releasing, step = False, 0
    for epoch in range(epochs):
        losses = []
        for rows in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step += 1
            if releasing and step % every == 0:
                size = exporter.export(model)
        right, held = accuracy_and_loss(model, val)
        note = f" released {size} bytes" if releasing else ""
        print(f"epoch {epoch:2d} loss {np.mean(losses):.3f} val {held:.3f} right {right:.3f}{note}")
        releasing = releasing or (epoch > 8 and right > first_release)


if __name__ == "__main__":
    main()
