"""Digits, CNN: clean training first, then adversarial training (FGSM) for robustness, as set in the plan below."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

# epochs and the size of the perturbation; robustness costs some clean accuracy
PLAN = [("clean", 12, 0.0), ("robust", 12, 0.12)]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 24, 3, padding=1)
        self.out = nn.Linear(96, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.out(x.flatten(1))


def perturbed(model, images, labels, size):
    if size == 0:
        return images
    images = images.clone().requires_grad_(True)
    gradient = torch.autograd.grad(F.cross_entropy(model(images), labels), images)[0]
    return (images + size * gradient.sign()).detach().clamp(0, 1)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(62)
    digits = load_digits()
    x, y = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16, torch.tensor(digits.target)
    model = Net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    for stage, epochs, size in PLAN:
        for epoch in range(epochs):
            total = 0.0
            for rows in torch.randperm(1480).split(40):
                loss = F.cross_entropy(model(perturbed(model, x[rows], y[rows], size)), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() / 37
            val = F.cross_entropy(model(perturbed(model, x[1480:], y[1480:], size)), y[1480:]).item()
            print(f"{stage} {epoch:2d}: train {total:.4f} val {val:.4f}")


if __name__ == "__main__":
    main()
