"""Pretrain on digits 0-4, then give the network a new head for 5-9 and fine-tune at a tenth of the rate."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(31)
torch.set_num_threads(1)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16.0).float(), torch.tensor(y)
low, high = y < 5, y >= 5
body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())


def fit(head, x, y, rates, epochs):
    groups = [{"params": body.parameters(), "lr": rates[0]}, {"params": head.parameters(), "lr": rates[1]}]
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    for epoch in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(head(body(x[rows])), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")


print("pretraining")
fit(nn.Linear(64, 5), x[low], y[low], (0.02, 0.02), 16)
print("fine-tuning")
fit(nn.Linear(64, 5), x[high], y[high] - 5, (0.002, 0.02), 16)
