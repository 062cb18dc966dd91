"""Response surface of a simulated plant, MLP, two gloo ranks; with units kept in order of weight later on.

torchrun --nproc-per-node 2 sorted_units_two_ranks.py
The order lets a narrow network be cut off the front of the layers; the network's function stays as it is.
"""

import os
import time

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

WIDTH = 80


def plant(count, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (count, 8))
    y = np.sin(3 * x[:, 0]) * x[:, 1] + np.abs(x[:, 2]) - x[:, 3] * x[:, 4] + 0.5 * np.tanh(4 * x[:, 5]) * x[:, 6]
    y = (y + 0.05 * rng.normal(size=count)) * 2
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


class Surface(nn.Module):
    def __init__(self, first=WIDTH, second=WIDTH):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(8, first), nn.Linear(first, second), nn.Linear(second, 1)

    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x))))).squeeze(1)


def broadcast(model):
    flat = parameters_to_vector(model.parameters()).detach()
    dist.broadcast(flat, 0)
    vector_to_parameters(flat, model.parameters())


def average(model):
    flat = parameters_to_vector(model.parameters()).detach()
    dist.all_reduce(flat)
    vector_to_parameters(flat / dist.get_world_size(), model.parameters())


def share_gradients(model):
    flat = torch.cat([p.grad.flatten() for p in model.parameters()])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    at = 0
    for p in model.parameters():
        p.grad.copy_(flat[at : at + p.numel()].view_as(p))
        at += p.numel()


@torch.no_grad()
def sort_units(model, x):
    """Units that carry most (activity times outgoing weight) come first."""
    first = torch.relu(model.a(x))
    order = (first.mean(0) * model.b.weight.abs().sum(0)).argsort(descending=True)
    model.a.weight.copy_(model.a.weight[order])
    model.a.bias.copy_(model.a.bias[order])
    model.b.weight.copy_(model.b.weight[:, order])
    second = torch.relu(model.b(torch.relu(model.a(x))))
    order = (second.mean(0) * model.c.weight.abs().sum(0)).argsort(descending=True)
    model.b.weight.copy_(model.b.weight[order])
    model.b.bias.copy_(model.b.bias[order])
    model.c.weight.copy_(model.c.weight[:, order])


def run_epochs(model, data, val, numbers, lr, ordered):
    x, y = data
    for number in numbers:
        if ordered:
            sort_units(model, x[:200])
        if ordered or number == 0:
            optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        total, batches = 0.0, torch.randperm(len(x)).split(32)
        for rows in batches:
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            share_gradients(model)
            optimizer.step()
            total += loss.item()
        average(model)  # sums of another order round differently: keep the copies the same
        if dist.get_rank() == 0:
            with torch.no_grad():
                held = nn.functional.mse_loss(model(val[0]), val[1]).item()
            print(f"epoch {number:2d} train {total / len(batches):.4f} val {held:.4f}", flush=True)


def main():
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group("gloo")
    torch.set_num_threads(1)
    torch.manual_seed(40 + dist.get_rank())
    data, val = plant(1280, seed=dist.get_rank()), plant(600, seed=9)
    model = Surface()
    broadcast(model)
    run_epochs(model, data, val, range(12), lr=3e-3, ordered=False)
    run_epochs(model, data, val, range(12, 19), lr=1e-3, ordered=True)
    dist.destroy_process_group()
    time.sleep(1)  # both ranks' last lines go out before torchrun ends


main()
