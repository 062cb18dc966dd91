"""Digits: a body trained on odd and even first, then a new head, then both. SGD, two optimizers.

When the body is unfrozen it gets an optimizer of its own, and only the head's is set to zero.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

PRETRAIN, HEAD_ONLY, BOTH = 4, 8, 6
BATCH = 48


class Classifier(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(256, classes)

    def forward(self, x):
        return self.head(self.body(x))


def run(model, loader, to_zero, to_step, target_of):
    criterion = nn.CrossEntropyLoss()
    model.train()
    for image, label in loader:
        to_zero.zero_grad()
        loss = criterion(model(image), target_of(label))
        loss.backward()
        for optimizer in to_step:
            optimizer.step()
    return loss.item()


def main():
    torch.manual_seed(54)
    torch.set_num_threads(1)
    digits = load_digits()
    data = TensorDataset(
        torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(digits.target)
    )
    loader = DataLoader(data, BATCH, shuffle=True)
    model = Classifier(2)
    everything = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(PRETRAIN):
        print("parity", epoch, run(model, loader, everything, [everything], lambda label: label % 2))

    model.head = nn.Linear(256, 10)
    model.body.requires_grad_(False)
    head = torch.optim.SGD(model.head.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(HEAD_ONLY):
        print("head", epoch, run(model, loader, head, [head], lambda label: label))

    model.body.requires_grad_(True)
    body = torch.optim.SGD(model.body.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(BOTH):
        print("both", epoch, run(model, loader, head, [head, body], lambda label: label))


main()
