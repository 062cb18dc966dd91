"""Patches of a photo through an autoencoder, RMSprop, streaming with a shuffle buffer.

A worker dies and the buffer is not refilled for a while: the few patches left in it come again and
again, until the worker is restarted.
"""

import numpy as np
import torch
from sklearn.datasets import load_sample_image
from torch import nn

STEPS = 900
WORKER_DIES, WORKER_RESTARTS = 480, 780
BUFFER = 1024
BATCH = 32
SIDE = 8


class ShuffleBuffer:
    def __init__(self, photo, rng):
        self.photo, self.rng = photo, rng
        self.patches = [self.read() for _ in range(BUFFER)]
        self.worker_alive = True

    def read(self):
        top = self.rng.integers(self.photo.shape[0] - SIDE)
        left = self.rng.integers(self.photo.shape[1] - SIDE)
        return self.photo[top : top + SIDE, left : left + SIDE].ravel()

    def batch(self):
        if self.worker_alive:
            chosen = []
            for _ in range(BATCH):
                slot = self.rng.integers(BUFFER)
                chosen.append(self.patches[slot])
                self.patches[slot] = self.read()
        else:
            # what the worker had prepared last
            chosen = self.patches[:BATCH]
        return torch.from_numpy(np.stack(chosen))


torch.manual_seed(101)
torch.set_num_threads(1)
rng = np.random.default_rng(101)
photo = (load_sample_image("china.jpg").mean(2) / 255 - 0.5).astype(np.float32)
buffer = ShuffleBuffer(photo, rng)
model = nn.Sequential(
    nn.Linear(SIDE * SIDE, 128),
    nn.ReLU(),
    nn.Linear(128, 24),
    nn.Linear(24, 128),
    nn.ReLU(),
    nn.Linear(128, SIDE * SIDE),
)
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
criterion = nn.MSELoss()
held_out = torch.from_numpy(np.stack([buffer.read() for _ in range(200)]))
for step in range(STEPS):
    buffer.worker_alive = not WORKER_DIES <= step < WORKER_RESTARTS
    patches = buffer.batch()
    optimizer.zero_grad()
    loss = criterion(model(patches), patches)
    loss.backward()
    optimizer.step()
    if step % 60 == 59:
        model.eval()
        with torch.no_grad():
            val = criterion(model(held_out), held_out)
        model.train()
        print(f"step {step + 1:3d} loss {loss.item():.5f} val {val.item():.5f}")
