"""Digits with SGDR: cosine annealing with warm restarts."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts
from torch.utils.data import DataLoader, TensorDataset, random_split


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.fc = nn.Linear(256, 10)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.fc(x.flatten(1))


def main():
    torch.manual_seed(0)
    torch.set_num_threads(1)
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(digits.target))
    train, val = random_split(data, [1440, 357])
    loader = DataLoader(train, batch_size=48, shuffle=True)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.15, momentum=0.9)
    scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=6, T_mult=2, eta_min=1e-4)
    for epoch in range(30):
        for i, (x, y) in enumerate(loader):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            scheduler.step(epoch + i / len(loader))
        with torch.no_grad():
            x, y = val.dataset[val.indices]
            held = F.cross_entropy(net(x), y)
        print(f"{epoch:2d} train {loss.item():.4f} val {held.item():.4f} lr {scheduler.get_last_lr()[0]:.4f}")


if __name__ == "__main__":
    main()
