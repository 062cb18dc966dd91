"""Digits on raw grey values, normalised by the network's first layer, Adagrad; checkpoints of one byte per number."""

import struct
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.set_num_threads(1)


class ByteFile:
    """All floating point tensors of a model as signed bytes with one common scale."""

    def __init__(self, path):
        self.path = Path(path)

    @staticmethod
    def tensors(model):
        return [t for t in model.state_dict().values() if t.is_floating_point()]

    def write(self, model):
        flat = torch.cat([t.flatten() for t in self.tensors(model)]).numpy()
        scale = float(np.abs(flat).max()) / 127
        self.path.write_bytes(struct.pack("<d", scale) + np.rint(flat / scale).astype(np.int8).tobytes())

    def read(self, model):
        raw = self.path.read_bytes()
        (scale,) = struct.unpack("<d", raw[:8])
        flat = torch.from_numpy(np.frombuffer(raw[8:], np.int8).astype(np.float32) * scale)
        with torch.no_grad():
            for t, part in zip(self.tensors(model), flat.split([t.numel() for t in self.tensors(model)])):
                t.copy_(part.view_as(t))


def build():
    return nn.Sequential(
        nn.BatchNorm2d(1), nn.Conv2d(1, 16, 3), nn.LeakyReLU(0.1), nn.Conv2d(16, 16, 3), nn.LeakyReLU(0.1),
        nn.Flatten(), nn.Linear(256, 48), nn.LeakyReLU(0.1), nn.Dropout(0.2), nn.Linear(48, 10),
    )


def epochs(model, optimizer, data, numbers):
    x, y, vx, vy = data
    for number in numbers:
        model.train()
        total, batches = 0.0, torch.randperm(len(x)).split(30)
        for rows in batches:
            loss = nn.functional.nll_loss(model(x[rows]).log_softmax(1), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            held = nn.functional.nll_loss(model(vx).log_softmax(1), vy).item()
        print(f"epoch {number:2d} train {total / len(batches):.4f} val {held:.4f}")


def main():
    torch.manual_seed(10)
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32)[:, None]
    y = torch.tensor(digits.target)
    data = x[:1500], y[:1500], x[1500:], y[1500:]
    with tempfile.TemporaryDirectory() as folder:
        file = ByteFile(f"{folder}/digits.bytes")
        model = build()
        optimizer = torch.optim.Adagrad(model.parameters(), lr=0.01)
        epochs(model, optimizer, data, range(9))
        file.write(model)
        sums = optimizer.state_dict()

        model = build()
        file.read(model)
        optimizer = torch.optim.Adagrad(model.parameters(), lr=0.01)
        optimizer.load_state_dict(sums)
        epochs(model, optimizer, data, range(9, 14))


main()
