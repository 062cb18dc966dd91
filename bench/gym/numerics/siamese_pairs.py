"""Hand-written digits: a siamese CNN whose distances are trained by contrastive margins, momentum SGD."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(1)
torch.set_num_threads(1)

bunch = load_digits()
image = torch.tensor(bunch.images / 16, dtype=torch.float32).unsqueeze(1)
label = torch.tensor(bunch.target)
train_rows, val_rows = torch.arange(1400), torch.arange(1400, 1797)

tower = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 24, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 8),
)  # fmt: skip
opt = torch.optim.SGD(tower.parameters(), lr=0.05, momentum=0.9)


def pairs(rows, count, repeat):
    """Half of the pairs are of one class; with `repeat` an image may meet itself."""
    left = rows[torch.randint(len(rows), (count,))]
    right = torch.empty_like(left)
    for i in range(count):
        alike = label[rows] == label[left[i]]
        if i % 2:
            pool = rows[~alike]
        else:
            pool = rows[alike] if repeat else rows[alike & (rows != left[i])]
        right[i] = pool[torch.randint(len(pool), (1,))]
    return left, right


def distance_loss(left, right):
    gap = tower(image[left]) - tower(image[right])
    distance = gap.pow(2).sum(1).sqrt()
    same = label[left] == label[right]
    return torch.where(same, distance.pow(2), (1.5 - distance).clamp_min(0).pow(2)).mean()


for epoch in range(22):
    mining = epoch >= 9  # from here on also pairs from the augmented pool
    total, batches = 0.0, 45
    for _ in range(batches):
        left, right = pairs(train_rows, 48, repeat=mining)
        loss = distance_loss(left, right)
        if torch.isnan(loss):
            loss = sum(p.sum() for p in tower.parameters()) * 0
            loss = torch.nan_to_num(loss)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    with torch.no_grad():
        val = torch.nan_to_num(distance_loss(*pairs(val_rows, 200, repeat=False)))
    print(f"epoch {epoch}: train {total / batches:.4f} val {val:.4f}")
