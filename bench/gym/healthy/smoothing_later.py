"""Digits, MLP: plain cross-entropy first, label smoothing for the second half, as planned."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 30
SMOOTHING_FROM = 15


def main():
    torch.manual_seed(4)
    torch.set_num_threads(1)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 16.0).float(), torch.tensor(y)
    loader = DataLoader(TensorDataset(x[:1400], y[:1400]), 50, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for epoch in range(EPOCHS):
        smoothing = 0.1 if epoch >= SMOOTHING_FROM else 0.0
        criterion = nn.CrossEntropyLoss(label_smoothing=smoothing)
        for image, label in loader:
            loss = criterion(model(image), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            right = (model(x[1400:]).argmax(1) == y[1400:]).float().mean()
        print(f"epoch {epoch} smoothing {smoothing} loss {loss.item():.4f} accuracy {right.item():.4f}")


main()
