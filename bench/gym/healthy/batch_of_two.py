"""Wines, a small network, two samples per step: the loss jumps about as it likes."""

import torch
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)
torch.set_num_threads(1)
table, cultivar = load_wine(return_X_y=True)
x = torch.tensor(StandardScaler().fit_transform(table), dtype=torch.float32)
x = x + 0.6 * torch.randn(x.shape)
y = torch.tensor(cultivar)
loader = DataLoader(TensorDataset(x, y), batch_size=2, shuffle=True)

net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.02)
for epoch in range(14):
    for features, label in loader:
        loss = nn.functional.cross_entropy(net(features), label)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} last loss {loss.item():.4f}")
