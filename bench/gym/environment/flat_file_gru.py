"""Sum of marked numbers in a sequence (the adding problem), GRU with a small readout, Adam, weights as a flat file."""

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
LENGTH, BATCH, PER_EPOCH = 20, 64, 60


def adding(count, rng):
    values = rng.uniform(0, 1, (count, LENGTH))
    marks = np.zeros((count, LENGTH))
    half = LENGTH // 2
    marks[np.arange(count), rng.integers(0, half, count)] = 1
    marks[np.arange(count), rng.integers(half, LENGTH, count)] = 1
    x = np.stack([values, marks], -1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor((values * marks).sum(1), dtype=torch.float32)


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 40, batch_first=True)
        self.mid = nn.Linear(40, 24)
        self.out = nn.Linear(24, 1)

    def forward(self, x):
        h = self.gru(x)[0][:, -1]
        return self.out(torch.relu(self.mid(h))).squeeze(1)


class FlatStore:
    def __init__(self, path):
        self.path = path
        self.handle = None

    def write(self, tensors):
        self.handle = open(self.path, "wb", buffering=8192)
        for tensor in tensors:
            self.handle.write(tensor.detach().numpy().astype("<f4").tobytes())

    def read(self, tensors):
        flat = np.fromfile(self.path, dtype="<f4")
        sizes = [t.numel() for t in tensors]
        # older files end before the tensors that were added later
        flat = np.concatenate([flat, np.zeros(sum(sizes) - len(flat), "<f4")])
        with torch.no_grad():
            for tensor, part in zip(tensors, np.split(flat, np.cumsum(sizes)[:-1])):
                tensor.copy_(torch.from_numpy(part).view_as(tensor))


def epochs(model, optimizer, rng, numbers, val):
    for number in numbers:
        losses = []
        for _ in range(PER_EPOCH):
            x, y = adding(BATCH, rng)
            loss = nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            held = nn.functional.mse_loss(model(val[0]), val[1]).item()
        print(f"epoch {number:2d} train {np.mean(losses):.4f} val {held:.4f}")


def main():
    torch.manual_seed(5)
    rng = np.random.default_rng(5)
    val = adding(500, np.random.default_rng(6))
    store = FlatStore("adder.f32")
    model = Adder()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    epochs(model, optimizer, rng, range(10), val)
    store.write(list(model.parameters()))
    moments = optimizer.state_dict()

    model = Adder()
    store.read(list(model.parameters()))
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    optimizer.load_state_dict(moments)
    optimizer.param_groups[0]["lr"] = 2e-4  # the last epochs at a low rate
    epochs(model, optimizer, rng, range(10, 15), val)


main()
