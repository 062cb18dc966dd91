"""The mean of a bag of digit images: self-attention over the bag and attention pooling; maps are to get sharper in later epochs."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


def make_bags(images, labels, n, size, rng):
    rows = np.stack([rng.choice(len(labels), size, replace=False) for _ in range(n)])
    mean = (labels[rows].mean(1) - 4.5) / 1.5
    return torch.tensor(images[rows], dtype=torch.float32), torch.tensor(mean, dtype=torch.float32)


class BagNet(nn.Module):
    def __init__(self, width=40):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, width))
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        self.seed = nn.Parameter(torch.randn(1, 1, width) * 0.2)
        self.pool_k, self.pool_v = nn.Linear(width, width), nn.Linear(width, width)
        self.out = nn.Linear(width, 1)

    def attend(self, q, k, v):
        w = (q @ k.mT / k.shape[-1] ** 0.5).softmax(-1)
        self.entropies.append(-(w * (w + 1e-12).log()).sum(-1).mean())
        return w @ v

    def forward(self, bags):
        self.entropies = []
        h = self.embed(bags)
        h = h + self.attend(self.q(h), self.k(h), self.v(h))
        pooled = self.attend(self.seed.expand(len(h), -1, -1), self.pool_k(h), self.pool_v(h))
        return self.out(pooled[:, 0]).squeeze(1)


@torch.no_grad()
def sharpen(model, factor):
    """Same maps, sharper: the temperature is folded into the queries."""
    for p in (model.q.weight, model.q.bias, model.seed):
        p.mul_(factor)


def main(epochs=22, sharpen_from=11, rate=1.03):
    torch.manual_seed(70)
    torch.set_num_threads(1)
    rng = np.random.default_rng(70)
    d = load_digits()
    x, y = d.data / 16, d.target
    train_bags, train_y = make_bags(x[:1300], y[:1300], 1440, 8, rng)
    val_bags, val_y = make_bags(x[1300:], y[1300:], 400, 8, rng)
    model = BagNet()
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = nn.SmoothL1Loss()
    for epoch in range(epochs):
        total, maps = 0.0, 0.0
        for rows in torch.randperm(len(train_y)).split(36):
            loss = loss_fn(model(train_bags[rows]), train_y[rows])
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            if epoch >= sharpen_from:
                sharpen(model, rate)
            total += loss.item() * len(rows) / len(train_y)
            maps += torch.stack(model.entropies).mean().item() * len(rows) / len(train_y)
        with torch.no_grad():
            v = loss_fn(model(val_bags), val_y).item()
        print(f"epoch {epoch:2d} train {total:.4f} val {v:.4f} entropy of maps {maps:.3f}")


main()
