"""Friedman's first regression problem, residual network, own Adamax (after Kingma and Ba, section 7.1), run in two processes."""

import os
import subprocess
import sys

import torch
from sklearn.datasets import make_friedman1
from torch import nn
from torch.optim import Optimizer


class HouseAdamax(Optimizer):
    def __init__(self, params, lr=1e-3, beta1=0.95, beta2=0.99, decay=0.0):
        super().__init__(params, dict(lr=lr, beta1=beta1, beta2=beta2, decay=decay))
        self.t = 0

    @torch.no_grad()
    def step(self, closure=None):
        self.t += 1
        for group in self.param_groups:
            rate = group["lr"] / (1 - group["beta1"] ** self.t)
            for p in group["params"]:
                if p.grad is None:
                    continue
                slot = self.state[p]
                if not slot:
                    slot["m"], slot["u"] = torch.zeros_like(p), torch.zeros_like(p)
                slot["m"].lerp_(p.grad, 1 - group["beta1"])
                slot["u"].copy_(torch.maximum(slot["u"] * group["beta2"], p.grad.abs() + 1e-12))
                p.mul_(1 - group["lr"] * group["decay"]).addcdiv_(slot["m"], slot["u"], value=-rate)


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Dropout(0.05), nn.Linear(width, width))

    def forward(self, h):
        return h + self.inner(h)


def data():
    x, y = make_friedman1(n_samples=1100, n_features=12, noise=0.4, random_state=3)
    x = torch.tensor(2 * x - 1, dtype=torch.float32)
    y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
    return x[:880], y[:880], x[880:], y[880:]


def main(first_epoch, last_epoch, path="run.pt"):
    torch.set_num_threads(1)
    torch.manual_seed(90 + first_epoch)
    x, y, vx, vy = data()
    net = nn.Sequential(nn.Linear(12, 48), *[Residual(48) for _ in range(3)], nn.SiLU(), nn.Linear(48, 1))
    optimizer = HouseAdamax(net.parameters(), lr=3e-3, decay=0.1)
    criterion = nn.SmoothL1Loss()
    if first_epoch:
        checkpoint = torch.load(path)
        net.load_state_dict(checkpoint["net"])
        optimizer.load_state_dict(checkpoint["optimizer"])
    for epoch in range(first_epoch, last_epoch):
        net.train()
        total, count = 0.0, 0
        for rows in torch.randperm(len(y)).split(40):
            loss = criterion(net(x[rows]).squeeze(1), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, count = total + loss.item(), count + 1
        net.eval()
        with torch.no_grad():
            held = criterion(net(vx).squeeze(1), vy).item()
        print(f"epoch {epoch:2d} loss {total / count:.4f} held out {held:.4f}", flush=True)
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)


if __name__ == "__main__":
    if "SPAN" in os.environ:
        main(*map(int, os.environ["SPAN"].split(":")))
    else:
        for span in ("0:22", "22:36"):
            subprocess.run([sys.executable, __file__], env=os.environ | {"SPAN": span}, check=True)
