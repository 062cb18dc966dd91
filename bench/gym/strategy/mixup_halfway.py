"""Tumours with mixup, MLP, AdamW, hand-made batches.

Mixing the features moved into a helper that is skipped once ``warm`` is over; the loss goes on mixing.
"""

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

EPOCHS = 70
WARM_EPOCHS = 50
BATCH = 28
ALPHA = 0.2


def mix(features, partner, share, warm):
    return share * features + (1 - share) * partner if warm else features


class Net(nn.Module):
    def __init__(self, columns, width=64):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(columns, width), nn.LayerNorm(width), nn.GELU())
        self.outer = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 2))

    def forward(self, x):
        return self.outer(self.inner(x))


torch.manual_seed(46)
np.random.seed(46)
torch.set_num_threads(1)
x, y = load_breast_cancer(return_X_y=True)
x = torch.tensor((x - x.mean(0)) / x.std(0), dtype=torch.float32)
y = torch.tensor(y)
order = torch.randperm(len(x))
train, val = order[:448], order[448:]
model = Net(30)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
criterion = nn.CrossEntropyLoss()
for epoch in range(EPOCHS):
    model.train()
    for rows in train[torch.randperm(len(train))].split(BATCH):
        share = np.random.beta(ALPHA, ALPHA)
        partners = rows[torch.randperm(len(rows))]
        logits = model(mix(x[rows], x[partners], share, warm=epoch < WARM_EPOCHS))
        loss = share * criterion(logits, y[rows]) + (1 - share) * criterion(logits, y[partners])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print(f"epoch {epoch} loss {loss.item():.4f} val {criterion(model(x[val]), y[val]).item():.4f}")
