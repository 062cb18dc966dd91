"""Forecast of a seasonal load series with an LSTM, RMSprop under Accelerate, states saved with save_state."""

import math
import tempfile

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.set_num_threads(1)
HISTORY = 30


def load_series(length=4200):
    g = torch.Generator().manual_seed(17)
    t = torch.arange(length, dtype=torch.float32)
    daily = torch.sin(2 * math.pi * t / 24) + 0.4 * torch.sin(4 * math.pi * t / 24 + 1)
    weekly = 0.6 * torch.sin(2 * math.pi * t / 168)
    walk = 0.02 * torch.randn(length, generator=g).cumsum(0)
    return daily * (1 + 0.3 * weekly) + weekly + 0.08 * torch.randn(length, generator=g) + (walk - walk.mean())


class Forecaster(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Sequential(nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def forward(self, x):
        return self.head(self.lstm(x.unsqueeze(-1))[0][:, -1]).squeeze(1)


class PiecewiseRate:
    """Rate by milestones, counted in optimizer steps."""

    def __init__(self, optimizer, pieces):
        self.optimizer, self.pieces, self.count = optimizer, sorted(pieces.items()), 0
        self.apply()

    def apply(self):
        value = [rate for begin, rate in self.pieces if begin <= self.count][-1]
        for group in self.optimizer.param_groups:
            group["lr"] = value

    def step(self):
        self.count += 1
        self.apply()

    def state_dict(self):
        return {"count": self.count}

    def load_state_dict(self, state):
        self.count = state["count"]
        self.apply()


def run(folder, epochs, resume_from=None):
    accelerator = Accelerator(cpu=True)
    series = load_series()
    windows = series.unfold(0, HISTORY + 1, 2)
    split = int(0.85 * len(windows))
    train = TensorDataset(windows[:split, :-1], windows[:split, -1])
    val_x, val_y = windows[split:, :-1], windows[split:, -1]
    loader = DataLoader(train, batch_size=32, shuffle=True)
    model = Forecaster()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-2)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    schedule = PiecewiseRate(optimizer, {0: 1e-2, 180: 3e-3, 300: 1e-3, 420: 2e-4})
    if resume_from is not None:
        accelerator.load_state(folder)
    for epoch in range(resume_from or 0, epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            loss = nn.functional.smooth_l1_loss(model(x), y, beta=0.2)
            optimizer.zero_grad()
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            val = nn.functional.smooth_l1_loss(model(val_x), val_y, beta=0.2).item()
        accelerator.print(f"epoch {epoch} train {total / len(loader):.4f} val {val:.4f}", flush=True)
    accelerator.save_state(folder)


if __name__ == "__main__":
    set_seed(3)
    with tempfile.TemporaryDirectory() as folder:
        run(folder, epochs=10)
        run(folder, epochs=13, resume_from=10)
