"""Gradual unfreezing (ULMFiT): after pretraining on rotation, layers are set free one by one from the top."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(41)
torch.set_num_threads(1)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)
body = nn.ModuleList([nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 32)])


def features(x):
    for layer in body:
        x = torch.relu(layer(x))
    return x


def epoch_of(head, pairs, optimizer):
    for _ in range(45):
        x, y = pairs()
        loss = nn.functional.cross_entropy(head(features(x.flatten(1))), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def rotated():
    rows, turn = torch.randint(1500, (32,)), torch.randint(4, (32,))
    return torch.stack([torch.rot90(images[r], int(k)) for r, k in zip(rows, turn, strict=True)]), turn


def labelled():
    rows = torch.randint(1500, (32,))
    return images[rows], labels[rows]


turn_head, head = nn.Linear(32, 4), nn.Linear(32, 10)
optimizer = torch.optim.Adam([*body.parameters(), *turn_head.parameters()], lr=2e-3)
for epoch in range(10):
    print("rotation", epoch, epoch_of(turn_head, rotated, optimizer))

body.requires_grad_(False)
optimizer = torch.optim.Adam(head.parameters(), lr=2e-3)
for epoch in range(12):
    if epoch in (3, 6, 9):
        layer = body[2 - (epoch // 3 - 1)]
        layer.requires_grad_(True)
        optimizer.add_param_group({"params": layer.parameters(), "lr": 1e-3})
    print("digits", epoch, epoch_of(head, labelled, optimizer))
