"""Low-rank adapters: a digits CNN is trained upright, then frozen and adapted with low-rank updates to slightly shifted digits."""
import math

import torch
from lightning.fabric import Fabric
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LowRankLinear(nn.Module):
    def __init__(self, base, rank=8, alpha=32):
        super().__init__()
        self.base = base
        self.a = nn.Parameter(torch.empty(rank, base.in_features))
        self.b = nn.Parameter(torch.empty(base.out_features, rank))
        self.scaling = alpha / rank
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))
        nn.init.normal_(self.b)

    def forward(self, x):
        return self.base(x) + self.scaling * (x @ self.a.T @ self.b.T)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten()
        )
        self.fc1 = nn.Linear(512, 96)
        self.fc2 = nn.Linear(96, 48)
        self.fc3 = nn.Linear(48, 10)

    def forward(self, x):
        x = torch.relu(self.fc1(self.features(x)))
        return self.fc3(torch.relu(self.fc2(x)))


def adapt(net):
    for p in net.parameters():
        p.requires_grad_(False)
    for name in ("fc1", "fc2", "fc3"):
        setattr(net, name, LowRankLinear(getattr(net, name)))
    return net


def loaders(shift, seed=1):
    d = load_digits()
    x = torch.tensor(d.images / 16.0, dtype=torch.float32).unsqueeze(1)
    x = x + shift * torch.roll(x, 1, dims=3)
    y = torch.tensor(d.target)
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    train, val = TensorDataset(x[order[:1500]], y[order[:1500]]), TensorDataset(x[order[1500:]], y[order[1500:]])
    return DataLoader(train, batch_size=40, shuffle=True), DataLoader(val, batch_size=150)


def run_stage(fabric, net, optimizer, train, val, epochs, name):
    train, val = fabric.setup_dataloaders(train, val)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for x, y in train:
            optimizer.zero_grad()
            loss = criterion(net(x), y)
            fabric.backward(loss)
            optimizer.step()
            total += loss.item()
        net.eval()
        with torch.no_grad():
            v = sum(criterion(net(x), y).item() for x, y in val) / len(val)
        fabric.print(f"{name} {epoch:2d} train {total / len(train):.4f} val {v:.4f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.seed_everything(21, verbose=False)
    net = Net()
    model, optimizer = fabric.setup(net, torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9))
    run_stage(fabric, model, optimizer, *loaders(0.0), epochs=10, name="base")
    net = adapt(net)
    trainable = [p for p in net.parameters() if p.requires_grad]
    model, optimizer = fabric.setup(net, torch.optim.Adam(trainable, lr=2e-4))
    run_stage(fabric, model, optimizer, *loaders(0.1), epochs=8, name="adapter")
