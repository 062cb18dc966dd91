"""Digits with a second task: the main head names the digit, an auxiliary head tells how much ink each quarter has.

The auxiliary loss is switched on once the main task has settled.
"""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class TwoHeads(nn.Module):
    def __init__(self, width=96):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.digit = nn.Linear(width, 10)
        self.ink = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4))

    def forward(self, x):
        h = self.trunk(x)
        return self.digit(h), self.ink(h)


def ink_of(images):
    quarters = F.avg_pool2d(images[:, None], 4).flatten(1)
    return (quarters - quarters.mean(0)) / quarters.std(0)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(17)
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32) / 16
    x, y, ink = images.flatten(1), torch.tensor(digits.target), ink_of(images)
    fit, held = slice(0, 1440), slice(1440, None)
    model = TwoHeads()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02, betas=(0.9, 0.9999))

    def losses(rows):
        logits, guess = model(x[rows])
        return F.cross_entropy(logits, y[rows]), F.mse_loss(guess, ink[rows])

    for epoch in range(28):
        weight = 0.5 if epoch >= 14 else 0.0
        total = 0.0
        for rows in torch.randperm(1440).split(48):
            main_loss, aux_loss = losses(rows)
            loss = main_loss + weight * aux_loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / 30
        with torch.no_grad():
            digit, quarter = losses(held)
        print(f"epoch {epoch:2d} total {total:.4f} val {digit + weight * quarter:.4f} ink {quarter:.3f}")


if __name__ == "__main__":
    main()
