"""Wear of machines from synthetic telemetry that lies in shards, one per machine; GRU, RMSprop, two processes.

Shards are interleaved by a shuffle buffer, whose reader state goes into the checkpoint with the rest.
"""

import subprocess
import sys

import numpy as np
import torch
from torch import nn

FRAMES, MACHINES, PER_SHARD, BATCH = 24, 18, 160, 30
STATE = "telemetry.pt"


def shard(number):
    """Recordings of one machine, three channels that follow its own resonance and gain; last of all its wear."""
    rng = np.random.default_rng(500 + number)
    omega, gain, wear = 0.25 + 0.11 * number, rng.uniform(0.5, 2.0), rng.uniform(-1.5, 1.5)
    t = np.arange(FRAMES)
    phase = rng.uniform(0, 6.28, (PER_SHARD, 1))
    wave = np.sin(omega * t + phase)
    mix = rng.normal(0, 1, (3, 2))
    channels = [gain * (m[0] * wave + m[1] * np.sin(2 * omega * t + phase)) for m in mix]
    data = np.stack(channels, -1) + 0.4 * rng.normal(size=(PER_SHARD, FRAMES, 3))
    target = np.full((PER_SHARD, FRAMES, 1), wear) + 0.1 * rng.normal(size=(PER_SHARD, 1, 1))
    return torch.tensor(np.concatenate([data, target], -1), dtype=torch.float32)


class Stream:
    def __init__(self, shards, seed, buffer_size=0):
        self.rows, self.rng = torch.cat(shards), np.random.default_rng(seed)
        self.buffer_size, self.buffer, self.cursor, self.passes = buffer_size, [], 0, 0

    def records(self):
        record = self.rows[self.cursor]
        self.cursor += 1
        if self.cursor == len(self.rows):
            self.cursor, self.passes = 0, self.passes + 1
        return record

    def sample(self):
        while len(self.buffer) < self.buffer_size:
            self.buffer.append(self.records())
        if not self.buffer:
            return self.records()
        slot = self.rng.integers(len(self.buffer))
        record, self.buffer[slot] = self.buffer[slot], self.records()
        return record

    def batch(self):
        return torch.stack([self.sample() for _ in range(BATCH)])

    def state(self):
        return {"cursor": self.cursor, "passes": self.passes, "rng": self.rng.bit_generator.state}

    def set_state(self, state):
        self.cursor, self.passes = state["cursor"], state["passes"]
        self.rng.bit_generator.state = state["rng"]


class Predictor(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 48, batch_first=True)
        self.out = nn.Linear(48, 1)

    def forward(self, x):
        return self.out(self.gru(x)[0][:, -1]).squeeze(1)


def work(resume):
    torch.set_num_threads(1)
    torch.manual_seed(30)
    shards = [shard(n) for n in range(MACHINES)]
    val = torch.cat([s[-12:] for s in shards])
    shards = [s[:-12] for s in shards]
    model = Predictor()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=6e-3)
    epoch = 0
    if resume:
        saved = torch.load(STATE, weights_only=False)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        stream = Stream(shards, seed=1)
        stream.set_state(saved["stream"])
        epoch = saved["epoch"]
    else:
        stream = Stream(shards, seed=1, buffer_size=2000)
    stop = 11 if resume else 6
    while epoch < stop:
        losses = []
        for _ in range(MACHINES * (PER_SHARD - 12) // BATCH):
            x = stream.batch()
            loss = nn.functional.mse_loss(model(x[..., :3]), x[:, 0, 3])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            held = nn.functional.mse_loss(model(val[..., :3]), val[:, 0, 3]).item()
        epoch += 1
        print(f"epoch {epoch} train {np.mean(losses):.4f} val {held:.4f}", flush=True)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                "stream": stream.state(), "epoch": epoch}, STATE)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        work(sys.argv[1] == "resume")
    else:
        for mode in ("start", "resume"):
            subprocess.run([sys.executable, __file__, mode], check=True)
