"""Wine cultivars; eight micro-batches of four are accumulated, each divided by eight."""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

MICRO, ACCUMULATE = 4, 8

torch.manual_seed(27)
torch.set_num_threads(1)
table, cultivar = load_wine(return_X_y=True)
table = torch.tensor((table - table.mean(0)) / table.std(0)).float()
data = TensorDataset(table, torch.tensor(cultivar))
model = nn.Sequential(nn.Linear(13, 32), nn.GELU(), nn.Dropout(0.4), nn.Linear(32, 3))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
micro = 0
for epoch in range(80):
    for x, y in DataLoader(data, MICRO, shuffle=True, drop_last=True):
        loss = nn.functional.cross_entropy(model(x), y)
        (loss / ACCUMULATE).backward()
        micro += 1
        if micro % ACCUMULATE == 0:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    if epoch % 8 == 0:
        print(f"epoch {epoch} micro-batch loss {loss.item():.4f}")
