"""A wide network on 120 patients: training error falls, validation error turns upwards."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
torch.set_num_threads(1)
x, y = load_diabetes(return_X_y=True)
x = torch.tensor(x / x.std(0)).float()
y = torch.tensor((y - y.mean()) / y.std()).float()
train = TensorDataset(x[:120], y[:120])
val_x, val_y = x[120:], y[120:]

net = nn.Sequential(nn.Linear(10, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
adam = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(120):
    net.train()
    for features, target in DataLoader(train, batch_size=20, shuffle=True):
        loss = nn.functional.mse_loss(net(features).squeeze(1), target)
        adam.zero_grad()
        loss.backward()
        adam.step()
    net.eval()
    with torch.no_grad():
        val = nn.functional.mse_loss(net(val_x).squeeze(1), val_y)
    if epoch % 5 == 0:
        print(f"epoch {epoch} train {loss.item():.4f} val {val.item():.4f}")
