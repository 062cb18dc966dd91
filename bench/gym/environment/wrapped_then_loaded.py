"""Impedance of circuits (Friedman's second problem), DistributedDataParallel over two gloo ranks, NAdam, in two legs.

torchrun --nproc-per-node 2 wrapped_then_loaded.py
Losses are printed as means over the ranks. The checkpoint lies where rank 0 has written it.
"""

import os
import time

import numpy as np
import torch
import torch.distributed as dist
from sklearn.datasets import make_friedman2
from torch import nn
from torch.nn.parallel import DistributedDataParallel

LEGS = [{"epochs": range(0, 14), "lr": 2e-3}, {"epochs": range(14, 21), "lr": 5e-4}]


def circuits():
    x, y = make_friedman2(n_samples=2000, noise=20.0, random_state=4)
    x = (x - x.mean(0)) / x.std(0)
    y = (y - y.mean()) / y.std()
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def network():
    return nn.Sequential(
        nn.Linear(4, 64), nn.LayerNorm(64), nn.Mish(), nn.Linear(64, 64), nn.LayerNorm(64), nn.Mish(), nn.Linear(64, 1)
    )


def mean_over_ranks(value):
    value = torch.tensor(value)
    dist.all_reduce(value)
    return value.item() / dist.get_world_size()


class Leg:
    def __init__(self, lr, seed, checkpoint, resume):
        torch.manual_seed(seed)
        self.rank = dist.get_rank()
        self.path = checkpoint
        self.model = DistributedDataParallel(network())
        self.optimizer = torch.optim.NAdam(self.model.parameters(), lr=lr)
        if resume and os.path.exists(checkpoint) and self.rank == 0:
            state = torch.load(checkpoint)
            self.model.module.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.optimizer.param_groups[0]["lr"] = lr
            print(f"continuing from {checkpoint}", flush=True)

    def run(self, epochs, x, y, val):
        for epoch in epochs:
            order = np.random.default_rng(epoch).permutation(1600)[self.rank :: 2]
            losses = []
            for start in range(0, len(order), 25):
                rows = order[start : start + 25]
                loss = nn.functional.l1_loss(self.model(x[rows]).squeeze(1), y[rows])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                losses.append(loss.item())
            with torch.no_grad():
                held = nn.functional.l1_loss(self.model.module(x[val]).squeeze(1), y[val]).item()
            train, held = mean_over_ranks(np.mean(losses)), mean_over_ranks(held)
            if self.rank == 0:
                print(f"epoch {epoch:2d} train {train:.4f} val {held:.4f}", flush=True)
        if self.rank == 0:
            torch.save({"model": self.model.module.state_dict(), "optimizer": self.optimizer.state_dict()}, self.path)
        dist.barrier()


def main():
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group("gloo")
    torch.set_num_threads(1)
    x, y = circuits()
    for number, leg in enumerate(LEGS):
        part = Leg(leg["lr"], seed=100 + number, checkpoint="circuits.pt", resume=number > 0)
        part.run(leg["epochs"], x, y, slice(1600, 2000))
    dist.destroy_process_group()
    time.sleep(1)  # both ranks' last lines go out before torchrun ends


if __name__ == "__main__":
    main()
