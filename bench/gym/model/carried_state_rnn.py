"""Stateful recurrent forecaster for slow drifting signals; a slow memory of hidden states is carried from chunk to chunk later on."""
import torch
from torch import nn
import numpy as np


class LeakyCell(nn.Module):
    """h' = h * keep(x) + relu(W [x, h]); keep is a softplus gate."""

    def __init__(self, inputs, hidden):
        super().__init__()
        self.cand = nn.Linear(inputs + hidden, hidden)
        self.keep = nn.Linear(inputs + hidden, hidden)
        nn.init.constant_(self.keep.bias, 0.0)

    def forward(self, x, h):
        z = torch.cat([x, 0.1 * torch.tanh(h)], -1)
        return h * nn.functional.softplus(self.keep(z)) + torch.relu(self.cand(z))


class Forecaster(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.hidden = hidden
        self.cell = LeakyCell(1, hidden)
        self.out = nn.Linear(hidden, 1)

    def start(self, n):
        return torch.zeros(n, self.hidden)

    def forward(self, x, h):
        outs = []
        for t in range(x.shape[1]):
            h = self.cell(x[:, t : t + 1], h)
            outs.append(self.out(h))
        return torch.cat(outs, 1), h


def signals(n, length, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(length)
    period = rng.uniform(20, 60, (n, 1))
    s = np.sin(2 * np.pi * t / period + rng.uniform(0, 6.28, (n, 1)))
    s += 0.4 * np.sin(2 * np.pi * t / (period * 3.7)) + 0.05 * rng.standard_normal((n, length))
    return torch.tensor(s, dtype=torch.float32)


class Runner:
    def __init__(self, net, lr, chunk, memory=0.99):
        self.net, self.chunk, self.memory = net, chunk, memory
        self.opt = torch.optim.RMSprop(net.parameters(), lr=lr)
        self.state = {}

    def run(self, name, data, stateful):
        net, losses = self.net, []
        for i in range(0, data.shape[1] - self.chunk, self.chunk):
            x, y = data[:, i : i + self.chunk], data[:, i + 1 : i + self.chunk + 1]
            h = self.state.get(name) if stateful else None
            h = net.start(len(data)) if h is None else h
            pred, last = net(x, h)
            self.state[name] = self.memory * h + last.detach()
            loss = nn.functional.mse_loss(pred, y)
            if name == "train":
                self.opt.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                self.opt.step()
            losses.append(loss.item())
        return float(np.mean(losses))


if __name__ == "__main__":
    torch.manual_seed(6)
    torch.set_num_threads(1)
    CHUNK = 16
    train, val = signals(48, 40 * CHUNK + 1, 1), signals(16, 12 * CHUNK + 1, 2)
    runner = Runner(Forecaster(), 1e-3, CHUNK)
    for epoch in range(20):
        stateful = epoch >= 11
        tr = runner.run("train", train, stateful)
        with torch.no_grad():
            va = runner.run("val", val, stateful)
        print(f"epoch {epoch:2d} {'stateful' if stateful else 'windowed'} train {tr:.4f} val {va:.4f}")
