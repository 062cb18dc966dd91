"""Handwritten digits, convolutional net: first in float32, then the whole model in half precision with its own optimizer."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.set_num_threads(1)
torch.manual_seed(77)


def make_model():
    return nn.Sequential(
        nn.Conv2d(1, 10, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(10, 20, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(80, 40), nn.ReLU(), nn.Linear(40, 10),
    )  # fmt: skip


def batches(count, size):
    order = torch.randperm(count)
    return [order[i : i + size] for i in range(0, count - size + 1, size)]


def fit(model, optimizer, data, epochs, tag):
    x, y, vx, vy = data
    for epoch in range(1, epochs + 1):
        model.train()
        history = []
        for rows in batches(len(x), 36):
            loss = F.cross_entropy(model(x[rows]).float(), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append(loss.detach())
        model.eval()
        with torch.no_grad():
            val = F.cross_entropy(model(vx).float(), vy)
        print(f"[{tag}] epoch {epoch}/{epochs} loss={torch.stack(history).mean():.4f} val={val:.4f}")


digits = load_digits()
images = torch.tensor(digits.images[:, None] / 16.0, dtype=torch.float32)
target = torch.tensor(digits.target)
parts = images[:1512], target[:1512], images[1512:], target[1512:]

model = make_model()
fit(model, torch.optim.Adagrad(model.parameters(), lr=0.02), parts, 11, "float32")
model = model.half()
half = parts[0].half(), parts[1], parts[2].half(), parts[3]
fit(model, torch.optim.Adagrad(model.parameters(), lr=0.002), half, 7, "float16")
