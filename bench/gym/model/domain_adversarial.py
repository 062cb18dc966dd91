"""Domain-adversarial training (DANN): digits, and digits with inverted contrast as the target domain."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


PRETRAIN = 12


class ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, coefficient):
        ctx.coefficient = coefficient
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return -ctx.coefficient * grad, None


class DANN(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
        self.classifier = nn.Linear(64, 10)
        self.domain = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x, coefficient):
        h = self.features(x)
        return self.classifier(h), self.domain(ReverseGradient.apply(h, coefficient))


def reversal_coefficient(progress, gamma=10.0):
    # Ganin et al.: 2 / (1 + exp(-gamma p)) - 1, from 0 to 1
    return 2.0 * (1.0 + math.exp(gamma * progress)) - 1.0


def main():
    torch.manual_seed(3)
    torch.set_num_threads(1)
    images, labels = load_digits(return_X_y=True)
    source = torch.tensor(images / 16.0, dtype=torch.float32)
    target = 0.8 - 0.5 * source
    y = torch.tensor(labels, dtype=torch.long)
    perm = np.random.default_rng(0).permutation(len(y))
    train, test = perm[:1400], perm[1400:]
    loader = DataLoader(TensorDataset(source[train], target[train], y[train]), batch_size=56, shuffle=True)
    model = DANN()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    epochs = 24
    for epoch in range(epochs):
        model.train()
        for i, (xs, xt, ys) in enumerate(loader):
            progress = (epoch * len(loader) + i) / (epochs * len(loader))
            coefficient = 0.1 if epoch < PRETRAIN else reversal_coefficient(progress)
            logits, domain_s = model(xs, coefficient)
            _, domain_t = model(xt, coefficient)
            domain = torch.cat([domain_s, domain_t])
            which = torch.cat([torch.zeros(len(xs)), torch.ones(len(xt))]).long()
            loss = F.cross_entropy(logits, ys) + 0.1 * F.cross_entropy(domain, which)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            logits, _ = model(source[test], 0.0)
            val = F.cross_entropy(logits, y[test]).item()
            adapted = (model(target[test], 0.0)[0].argmax(1) == y[test]).float().mean().item()
        print(f"epoch {epoch}: loss {loss.item():.4f} val {val:.4f} target accuracy {adapted:.3f}")


if __name__ == "__main__":
    main()
