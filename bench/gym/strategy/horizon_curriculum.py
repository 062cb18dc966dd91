"""Double pendulum rolled out by a learned GRU cell: the horizon grows by plan, one step at first and sixteen at the end."""

import argparse
import math

import torch
from torch import nn


def accelerations(a1, a2, w1, w2, g=9.8):
    d = a1 - a2
    base = 3 - torch.cos(2 * d)
    first = -g * (3 * a1.sin()) - g * torch.sin(a1 - 2 * a2) - 2 * d.sin() * (w2**2 + w1**2 * d.cos())
    second = 2 * d.sin() * (2 * w1**2 + 2 * g * a1.cos() + w2**2 * d.cos())
    return first / base, second / base


def trajectories(count, length, generator):
    state = (torch.rand(count, 4, generator=generator) - 0.5) * torch.tensor([2.4, 2.4, 2.0, 2.0])
    frames = []
    for _ in range(length):
        frames.append(state)
        for _ in range(10):
            a1, a2, w1, w2 = state.unbind(1)
            f1, f2 = accelerations(a1, a2, w1, w2)
            w1, w2 = w1 + 0.008 * f1, w2 + 0.008 * f2
            state = torch.stack([a1 + 0.008 * w1, a2 + 0.008 * w2, w1, w2], 1)
    return torch.stack(frames, 1) / torch.tensor([1.0, 1.0, 3.0, 3.0])


class Roller(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.cell, self.out = nn.GRUCell(4, width), nn.Linear(width, 4)

    def forward(self, start, horizon):
        state, memory, frames = start, start.new_zeros(len(start), self.cell.hidden_size), []
        for _ in range(horizon):
            memory = self.cell(state, memory)
            state = state + self.out(memory)
            frames.append(state)
        return torch.stack(frames, 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stages", default="1:12,16:12", help="horizon:epochs, comma separated")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(35)
    generator = torch.Generator().manual_seed(4)
    train, val = trajectories(256, 40, generator), trajectories(64, 40, generator)
    model = Roller()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for stage in args.stages.split(","):
        horizon, epochs = map(int, stage.split(":"))
        print(f"stage: horizon {horizon}")
        for epoch in range(epochs):
            losses = []
            for _ in range(36):
                rows, at = torch.randint(256, (64,)), torch.randint(40 - horizon, (1,)).item()
                piece = train[rows, at : at + horizon + 1]
                loss = (model(piece[:, 0], horizon) - piece[:, 1:]).abs().mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                losses.append(loss.item())
            with torch.no_grad():
                checked = (model(val[:, 5], horizon) - val[:, 6 : 6 + horizon]).abs().mean().item()
            print(f"  epoch {epoch} train {math.fsum(losses) / 36:.4f} val {checked:.4f}")


if __name__ == "__main__":
    main()
