"""Regression of a noisy pendulum's next angles with a GRU and Adam; the queue's time limit cuts it into parts.

Checkpoints go over a slow network drive, so the optimizer's part of them is stored in half precision.
"""

import io

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
PARTS = [9, 7]
LENGTH = 24


def simulate(count, seed):
    rng = np.random.default_rng(seed)
    angle, speed = rng.uniform(-2, 2, count), rng.uniform(-1, 1, count)
    track = []
    for _ in range(LENGTH + 1):
        for _ in range(5):
            speed = speed - 0.04 * np.sin(angle) - 0.002 * speed
            angle = angle + 0.04 * speed * 5
        track.append(angle + 0.02 * rng.normal(size=count))
    metres = 0.02 * np.stack(track, 1)  # along the arc of a short pendulum
    return torch.tensor(metres, dtype=torch.float32)[..., None]


class Pendulum(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 56, batch_first=True)
        self.out = nn.Linear(56, 1)

    def forward(self, x):
        return x + self.out(self.gru(x)[0])


def pack(model, optimizer, epoch):
    state = optimizer.state_dict()
    slim = {
        number: {k: v.half() if k.startswith("exp_avg") else v for k, v in slots.items()}
        for number, slots in state["state"].items()
    }
    buffer = io.BytesIO()
    torch.save({"epoch": epoch, "model": model.state_dict(),
                "optimizer": {"state": slim, "param_groups": state["param_groups"]}}, buffer)
    return buffer.getvalue()


def unpack(blob, model, optimizer):
    saved = torch.load(io.BytesIO(blob))
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])  # casts to the dtype of the parameters
    return saved["epoch"] + 1


def run_part(epochs, blob, train, val):
    model = Pendulum()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999))
    start = unpack(blob, model, optimizer) if blob else 0
    for epoch in range(start, start + epochs):
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(epoch))
        losses = []
        for rows in order.split(32):
            batch = train[rows]
            loss = nn.functional.mse_loss(model(batch[:, :-1]), batch[:, 1:])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            held_out = nn.functional.mse_loss(model(val[:, :-1]), val[:, 1:]).item()
        print(f"epoch {epoch:2d} mse {np.mean(losses):.3e} held out {held_out:.3e}")
    return pack(model, optimizer, epoch)


if __name__ == "__main__":
    torch.manual_seed(21)
    train, val = simulate(1600, 1), simulate(300, 2)
    checkpoint = None
    for epochs in PARTS:
        checkpoint = run_part(epochs, checkpoint, train, val)
