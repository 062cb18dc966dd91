"""Convolutional autoencoder of digits that also learns how sure it is of every pixel; Nesterov momentum at one rate."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Autoencoder(nn.Module):
    def __init__(self, code=12):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(1, 12, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(192, code),
        )
        self.decode = nn.Sequential(nn.Linear(code, 96), nn.GELU(), nn.Linear(96, 64))
        self.log_variance = nn.Parameter(torch.zeros(64))

    def forward(self, images):
        return self.decode(self.encode(images))

    def cost(self, images):
        error = (self(images) - images.flatten(1)) ** 2
        return (error * torch.exp(-self.log_variance) + self.log_variance).mean() / 2


class Run:
    def __init__(self, model, lr):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True)

    def epoch(self, loader):
        costs = []
        for (images,) in loader:
            cost = self.model.cost(images)
            self.optimizer.zero_grad()
            cost.backward()
            self.optimizer.step()
            costs.append(cost.item())
        return sum(costs) / len(costs)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(30)
    images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 4 - 2
    train = DataLoader(TensorDataset(images[:1500]), 50, shuffle=True)
    run = Run(Autoencoder(), lr=0.2)
    for epoch in range(26):
        cost = run.epoch(train)
        with torch.no_grad():
            val = run.model.cost(images[1500:]).item()
        print(f"epoch {epoch:2d}: train {cost:.4f} val {val:.4f}")


if __name__ == "__main__":
    main()
