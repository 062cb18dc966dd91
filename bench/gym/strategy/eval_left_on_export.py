"""Angle by which a digit is turned: residual CNN regression, SGD, trainer class.

The trainer exports its best model in evaluation mode from epoch 9 on and goes on training it.
"""

import io

import numpy as np
import torch
from scipy.ndimage import rotate
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 18
EXPORT_FROM = 9
BATCH = 40


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x):
        return torch.relu(x + self.body(x))


class Trainer:
    def __init__(self, model, train):
        self.model, self.loader = model, train
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
        self.criterion = nn.MSELoss()
        self.best = float("inf")

    def fit(self):
        self.model.train()
        for epoch in range(EPOCHS):
            total = 0.0
            for image, angle in self.loader:
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(image).squeeze(1), angle)
                loss.backward()
                self.optimizer.step()
                total += loss.item()
            if epoch + 1 >= EXPORT_FROM and total < self.best:
                self.best = total
                self.export(image[:1])
            print(f"epoch {epoch} loss {total / len(self.loader):.4f}")

    def export(self, example):
        self.model.eval()
        torch.jit.save(torch.jit.trace(self.model, example), io.BytesIO())


def main():
    torch.manual_seed(35)
    torch.set_num_threads(1)
    rng = np.random.default_rng(35)
    digits = load_digits()
    sevens_and_fours = digits.images[np.isin(digits.target, [4, 7])]
    images, angles = [], rng.uniform(-60, 60, 1200)
    for angle in angles:
        image = sevens_and_fours[rng.integers(len(sevens_and_fours))]
        images.append(rotate(image, angle, reshape=False, order=1) / 16)
    data = TensorDataset(
        torch.tensor(np.array(images), dtype=torch.float32).unsqueeze(1),
        torch.tensor(angles / 60, dtype=torch.float32),
    )
    stem = [nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 1)]
    model = nn.Sequential(*stem, Residual(16), nn.MaxPool2d(2), Residual(16), *head)
    Trainer(model, DataLoader(data, BATCH, shuffle=True)).fit()


main()
