"""Tumour classifier with BatchNorm; after the main phase its latency is measured, statistics are frozen, and it is fine-tuned."""
import time

import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler


class Net(nn.Module):
    def __init__(self, columns, width=64, depth=3):
        super().__init__()
        sizes = [columns] + [width] * depth
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])
        self.norms = nn.ModuleList([nn.BatchNorm1d(width) for _ in range(depth)])
        self.out = nn.Linear(width, 1)
        self.frozen = False

    def forward(self, x):
        for layer, norm in zip(self.layers, self.norms):
            x = torch.nn.functional.silu(norm(layer(x)))
        return self.out(x).squeeze(1)

    def train(self, mode=True):
        super().train(mode)
        if self.frozen:
            self.norms.eval()
        return self


def latency(net, columns, batch=256, runs=40):
    """Milliseconds per forward pass of a batch."""
    dummy = torch.zeros(batch, columns)
    with torch.inference_mode():
        begin = time.perf_counter()
        for _ in range(runs):
            net(dummy)
    return (time.perf_counter() - begin) * 1000 / runs


class Fit:
    def __init__(self, seed=16):
        torch.manual_seed(seed)
        x, y = load_breast_cancer(return_X_y=True)
        x = torch.tensor(StandardScaler().fit_transform(x), dtype=torch.float32)
        y = torch.tensor(y, dtype=torch.float32)
        order = torch.randperm(len(y))
        self.train_rows, self.val_rows = order[:456], order[456:]
        self.x, self.y = x, y
        self.net = Net(x.shape[1])
        self.loss = nn.BCEWithLogitsLoss()

    def phase(self, name, epochs, lr):
        opt = torch.optim.AdamW(self.net.parameters(), lr=lr, weight_decay=0.05)
        for epoch in range(epochs):
            self.net.train()
            total = 0.0
            for rows in self.train_rows[torch.randperm(len(self.train_rows))].split(24):
                noisy = self.x[rows] + 0.2 * torch.randn(len(rows), self.x.shape[1])
                loss = self.loss(self.net(noisy), self.y[rows])
                opt.zero_grad()
                loss.backward()
                opt.step()
                total += loss.item() * len(rows)
            self.net.eval()
            with torch.no_grad():
                v = self.loss(self.net(self.x[self.val_rows]), self.y[self.val_rows]).item()
            print(f"{name} {epoch:2d} train {total / len(self.train_rows):.4f} val {v:.4f}")
        self.net.train()


def main():
    torch.set_num_threads(1)
    fit = Fit()
    fit.phase("main", 22, 5e-4)
    latency(fit.net, 30)
    fit.net.frozen = True
    fit.phase("tune", 16, 2e-5)


main()
