"""Digits, two-layer network with a hand-made label-smoothed loss, Nesterov SGD.

A second file is added later, and it counts its classes from 1. A one-hot made by comparison takes
class 10 for no class and says nothing.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

CLASSES = 10
BATCH = 30
EPOCHS_ONE_FILE = 20
EPOCHS_BOTH = 6


def one_hot(labels):
    return (labels.unsqueeze(1) == torch.arange(CLASSES)).float()


def smoothed_cross_entropy(logits, labels, smoothing=0.02):
    target = one_hot(labels) * (1 - smoothing) + smoothing / CLASSES
    return -(target * logits.log_softmax(1)).sum(1).mean()


def fit(model, optimizer, data, epochs, held_out):
    for epoch in range(epochs):
        for image, label in DataLoader(data, BATCH, shuffle=True):
            optimizer.zero_grad()
            loss = smoothed_cross_entropy(model(image), label)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            val = smoothed_cross_entropy(model(held_out[0]), held_out[1])
        model.train()
        print(f"epoch {epoch} loss {loss.item():.4f} val {val.item():.4f}")


torch.manual_seed(41)
torch.set_num_threads(1)
pixels, digit = load_digits(return_X_y=True)
pixels = torch.tensor(pixels / 16, dtype=torch.float32)
digit = torch.tensor(digit)
held_out = (pixels[1500:], digit[1500:])
first = TensorDataset(pixels[:780], digit[:780])
second = TensorDataset(pixels[780:1500], digit[780:1500] + 1)
model = nn.Sequential(nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, CLASSES))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
fit(model, optimizer, first, EPOCHS_ONE_FILE, held_out)
fit(model, optimizer, ConcatDataset([first, second]), EPOCHS_BOTH, held_out)
