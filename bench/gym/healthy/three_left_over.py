"""Digits with batches of 64; the last batch of an epoch has the five images that are left over."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(35)
torch.set_num_threads(1)
digits = load_digits()
images = torch.tensor(digits.data / 16, dtype=torch.float32)
train = DataLoader(TensorDataset(images[:1541], torch.tensor(digits.target[:1541])), batch_size=64, shuffle=True)
model = nn.Sequential(nn.Linear(64, 48), nn.LayerNorm(48), nn.ReLU(), nn.Linear(48, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.8)
for epoch in range(28):
    running = 0.0
    for image, label in train:
        loss = nn.functional.cross_entropy(model(image), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * len(label)
    print(f"epoch {epoch} mean {running / 1541:.4f} last batch {loss.item():.4f}")
