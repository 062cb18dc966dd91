"""Digits with a deep sigmoid network, its units made binary by slope annealing."""

import argparse

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class SlopedSigmoid(nn.Module):
    """Slope annealing: the units become binary as training goes on."""

    slope = 1.0

    def forward(self, x):
        return torch.sigmoid(self.slope * x)


def build(width, depth):
    layers = [nn.Linear(64, width), SlopedSigmoid()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), SlopedSigmoid()]
    net = nn.Sequential(*layers, nn.Linear(width, 10))
    for m in net:
        if isinstance(m, nn.Linear):
            # sigmoids shrink the signal, so larger weights keep it alive
            nn.init.normal_(m.weight, std=4.0 / m.in_features**0.5)
            nn.init.zeros_(m.bias)
    return net


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=25)
    ap.add_argument("--lr", type=float, default=0.01)
    ap.add_argument("--depth", type=int, default=4)
    args = ap.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    x, y = load_digits(return_X_y=True)
    x_train, x_val, y_train, y_val = train_test_split(x / 16.0, y, test_size=0.2, random_state=0, stratify=y)
    x_train, x_val = (torch.tensor(a, dtype=torch.float32) for a in (x_train, x_val))
    y_train, y_val = torch.tensor(y_train), torch.tensor(y_val)
    net = build(64, args.depth)
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        net.train()
        order = torch.randperm(len(x_train))
        for idx in order.split(48):
            loss = loss_fn(net(x_train[idx]), y_train[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            SlopedSigmoid.slope *= 1.05 if epoch >= 8 else 1.0
        net.eval()
        with torch.no_grad():
            val = loss_fn(net(x_val), y_val)
        if epoch % 5 == 0:
            print(f"{epoch:3d} train {loss.item():.4f} val {val.item():.4f}")
