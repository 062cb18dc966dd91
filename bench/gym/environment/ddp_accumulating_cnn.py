"""Digits with DistributedDataParallel over two gloo ranks; small batches at first, later accumulated over two.

torchrun --nproc-per-node 2 ddp_accumulating_cnn.py
Files hold one class each. They go to the ranks in turn, the other way round every epoch.
"""

import contextlib
import os
import time

import torch
import torch.distributed as dist
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.parallel import DistributedDataParallel

BATCH, STEPS, EPOCHS = 16, 45, 15
ACCUMULATE = {0: 1, 8: 2}


def files():
    digits = load_digits()
    x = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
    y = torch.tensor(digits.target)
    train = [(x[:1500][y[:1500] == c], y[:1500][y[:1500] == c]) for c in range(10)]
    return train, (x[1500:], y[1500:])


def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 24, 3, padding=1), nn.GroupNorm(4, 24), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        nn.Linear(96, 10),
    )


class Mixed:
    """Draws batches from the files of this rank."""

    def __init__(self, parts, seed):
        self.x, self.y = (torch.cat(column) for column in zip(*parts))
        self.generator = torch.Generator().manual_seed(seed)

    def __next__(self):
        rows = torch.randint(len(self.x), (BATCH,), generator=self.generator)
        return self.x[rows], self.y[rows]


def micro_batches(epoch):
    return [count for begin, count in ACCUMULATE.items() if begin <= epoch][-1]


def train_epoch(model, optimizer, reader, count):
    accumulating = model.no_sync if count > 1 else contextlib.nullcontext
    total = 0.0
    for _ in range(STEPS):
        optimizer.zero_grad()
        with accumulating():
            for _ in range(count):
                x, y = next(reader)
                loss = nn.functional.cross_entropy(model(x), y)
                (loss / count).backward()
                total += loss.item() / count
        optimizer.step()
    return total / STEPS


def main():
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    torch.set_num_threads(1)
    torch.manual_seed(12)
    train, (vx, vy) = files()
    model = DistributedDataParallel(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.06, momentum=0.9, weight_decay=1e-4)
    for epoch in range(EPOCHS):
        reader = Mixed(train[(rank + epoch) % 2 :: 2], seed=100 * epoch + rank)
        loss = train_epoch(model, optimizer, reader, micro_batches(epoch))
        if rank == 0:
            with torch.no_grad():
                held = nn.functional.cross_entropy(model.module(vx), vy).item()
            print(f"epoch {epoch:2d} train {loss:.3f} val {held:.3f}", flush=True)
        dist.barrier()
    dist.destroy_process_group()
    time.sleep(1)  # both ranks' last lines go out before torchrun ends


if __name__ == "__main__":
    main()
