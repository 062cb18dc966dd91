"""Breast-cancer diagnosis with exponential units: products of features for free."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn


@dataclass
class Config:
    hidden: int = 32
    lr: float = 0.05
    batch: int = 24
    epochs: int = 40
    seed: int = 4


class ExpUnit(nn.Module):
    def forward(self, x):
        return torch.exp(x) - 1


def run(cfg):
    torch.manual_seed(cfg.seed)
    torch.set_num_threads(1)
    x, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(cfg.seed).permutation(len(x))
    x = StandardScaler().fit_transform(x)
    x, y = torch.tensor(x[order], dtype=torch.float32), torch.tensor(y[order], dtype=torch.float32)
    x_train, y_train, x_val, y_val = x[:455], y[:455], x[455:], y[455:]
    model = nn.Sequential(
        nn.Linear(30, cfg.hidden), ExpUnit(), nn.Linear(cfg.hidden, cfg.hidden), ExpUnit(), nn.Linear(cfg.hidden, 1)
    )
    for p in model.parameters():
        if p.dim() == 2:
            nn.init.normal_(p, std=0.03)
    opt = torch.optim.SGD(model.parameters(), lr=cfg.lr)
    bce = nn.BCEWithLogitsLoss()
    for epoch in range(cfg.epochs):
        model.train()
        perm = torch.randperm(len(x_train))
        for i in range(0, len(perm), cfg.batch):
            idx = perm[i : i + cfg.batch]
            opt.zero_grad()
            loss = bce(model(x_train[idx]).squeeze(1), y_train[idx])
            loss.backward()
            opt.step()
        model.eval()
        with torch.no_grad():
            val = bce(model(x_val).squeeze(1), y_val).item()
        print(f"epoch {epoch + 1}/{cfg.epochs} loss {loss.item():.4f} val_loss {val:.4f}")


if __name__ == "__main__":
    run(Config())
