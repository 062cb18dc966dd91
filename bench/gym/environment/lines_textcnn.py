"""Which module does a line of code come from? Text CNN with early dropout (strong at first, none later), NAdam."""

import ast
import configparser
import difflib
import fractions
import inspect
import random
import tempfile
from pathlib import Path

import torch
import turtle
from torch import nn
from torch.nn import functional as F

MODULES = [ast, configparser, difflib, fractions, turtle]
WIDTH = 48


def lines():
    rows = []
    for label, module in enumerate(MODULES):
        for line in inspect.getsource(module).splitlines():
            if len(line.strip()) > 15:
                codes = [min(ord(c), 127) for c in line[:WIDTH]]
                rows.append((codes + [0] * (WIDTH - len(codes)), label))
    random.Random(6).shuffle(rows)
    x, y = zip(*rows)
    return torch.tensor(x), torch.tensor(y)


class EarlyDropout(nn.Module):
    """Dropout whose rate goes from ``p`` to zero over ``steps`` training passes."""

    def __init__(self, p, steps):
        super().__init__()
        self.p, self.steps, self.passes = p, steps, 0

    def forward(self, h):
        if not self.training:
            return h
        rate = self.p * max(0.0, 1 - self.passes / self.steps)
        self.passes += 1
        return F.dropout(h, rate)


class TextCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(128, 24, padding_idx=0)
        self.convs = nn.ModuleList(nn.Conv1d(24, 40, k) for k in (3, 4, 5))
        self.drop = EarlyDropout(0.85, 350)
        self.out = nn.Linear(120, len(MODULES))

    def forward(self, x):
        e = self.embed(x).transpose(1, 2)
        h = torch.cat([F.relu(c(e)).amax(2) for c in self.convs], 1)
        return self.out(self.drop(h))


def train(path, until):
    x, y = lines()
    x, y = x[:4600], y[:4600]
    n = 4000
    net = TextCNN()
    optimizer = torch.optim.NAdam(net.parameters(), lr=1e-3)
    epoch = 0
    if path.exists():
        state = torch.load(path)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        epoch = state["epoch"]
        torch.set_rng_state(state["rng"])
    while epoch < until:
        net.train()
        seen = 0.0
        for rows in torch.randperm(n).split(64):
            loss = F.cross_entropy(net(x[rows]), y[rows], weight=torch.tensor([1.0, 1.0, 0.8, 1.2, 0.6]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen += loss.item() * len(rows)
        net.eval()
        with torch.no_grad():
            out = net(x[n:])
        epoch += 1
        print(
            f"epoch {epoch:2d} train {seen / n:.3f} val {F.cross_entropy(out, y[n:]).item():.3f} "
            f"right {(out.argmax(1) == y[n:]).float().mean().item():.3f}"
        )
        torch.save(
            {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch, "rng": torch.get_rng_state()},
            path,
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(33)
    with tempfile.TemporaryDirectory() as folder:
        train(Path(folder) / "lines.pt", until=8)
        train(Path(folder) / "lines.pt", until=12)
