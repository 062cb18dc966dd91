"""Tumour data as logarithms, classified by a small attention network over the features, SGD.

Measurements of exactly 0 occur in the data; the first batches do not hold one.
"""

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH = 20
PASSES_OVER_FIRST_SITE = 18


class FeatureAttention(nn.Module):
    """Every measurement is a token."""

    def __init__(self, features, width=16):
        super().__init__()
        self.scale = nn.Parameter(torch.randn(features, width) * 0.3)
        self.shift = nn.Parameter(torch.randn(features, width) * 0.3)
        self.attend = nn.MultiheadAttention(width, 2, batch_first=True)
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        tokens = x.unsqueeze(-1) * self.scale + self.shift
        mixed, _ = self.attend(tokens, tokens, tokens, need_weights=False)
        return self.head((tokens + mixed).mean(1))


def main():
    torch.set_num_threads(1)
    torch.manual_seed(2)
    raw, target = load_breast_cancer(return_X_y=True)
    has_zero = (raw <= 0).any(1)
    first_site = np.flatnonzero(~has_zero)[:400]
    second_site = np.concatenate([np.flatnonzero(has_zero), np.flatnonzero(~has_zero)[400:]])
    with np.errstate(divide="ignore"):
        table = np.log(raw)
    mean, std = table[first_site].mean(0), table[first_site].std(0)
    x = torch.tensor((table - mean) / std, dtype=torch.float32)
    y = torch.tensor(target)

    model = FeatureAttention(30)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(PASSES_OVER_FIRST_SITE + 8):
        rows = first_site if epoch < PASSES_OVER_FIRST_SITE else second_site
        loader = DataLoader(TensorDataset(x[rows], y[rows]), BATCH, shuffle=True)
        total = 0.0
        for features, label in loader:
            loss = criterion(model(features), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        print("epoch", epoch, "mean loss", total / len(loader))


if __name__ == "__main__":
    main()
