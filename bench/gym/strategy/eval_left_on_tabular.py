"""Diabetes progression, residual MLP with batch normalisation and dropout, SGD, trainer class.

The trainer exports its best model in evaluation mode from epoch 20 on and goes on training it.
"""

import io

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 60
EXPORT_FROM = 20
BATCH = 39


class Layer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
        )

    def forward(self, x):
        return torch.relu(x + self.body(x))


class Trainer:
    def __init__(self, model, train):
        self.model, self.loader = model, train
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
        self.criterion = nn.MSELoss()
        self.best = float("inf")

    def fit(self):
        self.model.train()
        for epoch in range(EPOCHS):
            total = 0.0
            for features, target in self.loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(features).squeeze(1), target)
                loss.backward()
                self.optimizer.step()
                total += loss.item()
            if epoch >= EXPORT_FROM and total < self.best:
                self.best = total
                self.export(features[:1])
            print(f"epoch {epoch} loss {total / len(self.loader):.4f}")

    def export(self, example):
        self.model.eval()
        torch.jit.save(torch.jit.trace(self.model, example), io.BytesIO())


def main():
    torch.manual_seed(35)
    torch.set_num_threads(1)
    x, y = load_diabetes(return_X_y=True)
    y = (y - y.mean()) / y.std()
    data = TensorDataset(torch.tensor(x * 21, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))
    layers = [nn.Linear(10, 48), nn.BatchNorm1d(48), nn.ReLU()]
    layers += [Layer(48) for _ in range(3)]
    model = nn.Sequential(*layers, nn.Linear(48, 1))
    Trainer(model, DataLoader(data, BATCH, shuffle=True, drop_last=True)).fit()


main()
