"""Digits CNN in two legs; the second leg runs on a small device, with micro-batches and accumulated gradients to the same batch size."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

LEGS = [
    {"device": "workstation", "epochs": 12, "batch": 32, "micro": 32, "lr": 1e-3},
    {"device": "laptop", "epochs": 8, "batch": 32, "micro": 1, "lr": 5e-4},
]


class ConvBlock(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.LeakyReLU(0.1))


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(ConvBlock(1, 12), nn.MaxPool2d(2), ConvBlock(12, 24), ConvBlock(24, 32), nn.MaxPool2d(2))
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        return self.fc(self.body(x).mean((2, 3)))


class Loop:
    def __init__(self, net, data, leg):
        self.net, self.leg = net, leg
        self.tx, self.ty, self.vx, self.vy = data
        self.opt = torch.optim.AdamW(net.parameters(), lr=leg["lr"], weight_decay=0.01)

    def step(self, rows):
        self.opt.zero_grad()
        value = 0.0
        for part in rows.split(self.leg["micro"]):
            loss = F.cross_entropy(self.net(self.tx[part]), self.ty[part]) * len(part) / len(rows)
            loss.backward()
            value += loss.item()
        self.opt.step()
        return value

    def epoch(self):
        self.net.train()
        values = [self.step(rows) for rows in torch.randperm(len(self.ty)).split(self.leg["batch"])]
        self.net.eval()
        with torch.no_grad():
            val = F.cross_entropy(self.net(self.vx), self.vy).item()
        return sum(values) / len(values), val


def main():
    torch.manual_seed(30)
    torch.set_num_threads(1)
    d = load_digits()
    images, labels = torch.tensor(d.images / 16, dtype=torch.float32)[:, None], torch.tensor(d.target)
    perm = torch.randperm(len(labels))
    images, labels = images[perm], labels[perm]
    data = images[:1440], labels[:1440], images[1440:], labels[1440:]
    net = DigitNet()
    count = 0
    for leg in LEGS:
        loop = Loop(net, data, leg)
        for _ in range(leg["epochs"]):
            train, val = loop.epoch()
            print(f"{leg['device']:11s} epoch {count:2d} train {train:.4f} val {val:.4f}", flush=True)
            count += 1


if __name__ == "__main__":
    main()
