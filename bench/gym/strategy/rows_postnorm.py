"""Digits read row by row, post-norm transformer, in two stages.

Both stages use RMSprop at the same rate.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


@dataclass
class Stage:
    name: str
    epochs: int
    rate: float = 5e-3
    warmup: int = 0


STAGES = [Stage("base", 13, warmup=180), Stage("again", 6)]


class Reader(nn.Module):
    def __init__(self, width=32, layers=3):
        super().__init__()
        self.embed = nn.Linear(8, width)
        self.place = nn.Parameter(torch.randn(8, width) * 0.3)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers)
        self.head = nn.Linear(8 * width, 10)

    def forward(self, images):
        return self.head(self.encoder(self.embed(images) + self.place).flatten(1))


def run(model, stage, train, val):
    optimizer = torch.optim.RMSprop(model.parameters(), lr=stage.rate)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1.0, (s + 1) / max(1, stage.warmup)))
    for epoch in range(stage.epochs):
        model.train()
        losses = []
        for rows in torch.randperm(len(train[0])).split(50):
            images = train[0][rows]
            loss = F.cross_entropy(model(images), train[1][rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            checked = F.cross_entropy(model(val[0]), val[1]).item()
        print(f"{stage.name} {epoch:2d}: train {sum(losses) / len(losses):.4f} val {checked:.4f}")


def main():
    torch.set_num_threads(1)
    torch.manual_seed(8)
    digits = load_digits()
    images, labels = torch.tensor(digits.images, dtype=torch.float32) / 16, torch.tensor(digits.target)
    train, val = (images[:1500], labels[:1500]), (images[1500:], labels[1500:])
    model = Reader()
    for stage in STAGES:
        run(model, stage, train, val)


if __name__ == "__main__":
    main()
