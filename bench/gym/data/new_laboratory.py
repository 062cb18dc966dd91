"""Wine cultivars, MLP with dropout, Adam with a step schedule.

After 100 passes the second laboratory's samples come in; its instruments are calibrated otherwise,
so that eight of the measurements lie one to three standard deviations apart from those seen so far.
"""

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

PASSES = 140
SECOND_LABORATORY = 100
BATCH = 24
OFFSETS = np.array([1.2, 0, -1.8, 2.2, 0, 1.5, -2.4, 0, 1.1, 2.6, -1.9, 0, 0])


def loader(x, y, shuffle=True):
    data = TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
    return DataLoader(data, BATCH, shuffle=shuffle, drop_last=shuffle)


torch.manual_seed(31)
torch.set_num_threads(1)
x, y = load_wine(return_X_y=True)
x = (x - x.mean(0)) / x.std(0)
order = np.random.default_rng(31).permutation(len(x))
first, second, val = order[:84], order[84:140], order[140:]
first_loader = loader(x[first], y[first])
second_loader = loader(x[second] + OFFSETS, y[second])
val_loader = loader(x[val], y[val], shuffle=False)

model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Dropout(0.2), nn.Linear(24, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=40, gamma=0.3)
criterion = nn.CrossEntropyLoss()
for number in range(PASSES):
    model.train()
    for features, cultivar in second_loader if number >= SECOND_LABORATORY else first_loader:
        optimizer.zero_grad()
        loss = criterion(model(features), cultivar)
        loss.backward()
        optimizer.step()
    scheduler.step()
    if number % 5 == 4:
        model.eval()
        with torch.no_grad():
            val_loss = np.mean([criterion(model(a), b).item() for a, b in val_loader])
        print(f"pass {number} loss {loss.item():.4f} val {val_loss:.4f}")
