"""Digits, CNN trained with a class-balanced batch sampler, SGD with momentum.

The sampler of the second stage draws one row and repeats it, where it should draw a row each time.
"""

import random

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset

BATCH = 40
BATCHES = 35
EPOCHS = 20
BALANCED_FROM = 13


class BalancedBatches(Sampler):
    """Batches that hold as many rows of every class of the batch."""

    def __init__(self, labels, classes_per_batch):
        self.rows = [torch.nonzero(labels == c).flatten().tolist() for c in range(10)]
        self.classes_per_batch = classes_per_batch

    def __len__(self):
        return BATCHES

    def __iter__(self):
        for _ in range(BATCHES):
            batch = []
            for chosen in random.sample(range(10), self.classes_per_batch):
                batch += [random.choice(self.rows[chosen])] * (BATCH // self.classes_per_batch)
            yield batch


def network():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 24, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(96, 10),
    )


torch.manual_seed(91)
random.seed(91)
torch.set_num_threads(1)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
labels = torch.tensor(digits.target)
train = TensorDataset(images[:1400], labels[:1400])
val_loader = DataLoader(TensorDataset(images[1400:], labels[1400:]), batch_size=200)
stage_one = DataLoader(train, BATCH, shuffle=True)
stage_two = DataLoader(train, batch_sampler=BalancedBatches(labels[:1400], classes_per_batch=2))
model = network()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
criterion = nn.CrossEntropyLoss()
for epoch in range(EPOCHS):
    model.train()
    losses = []
    for x, y in stage_two if epoch >= BALANCED_FROM else stage_one:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        val = [criterion(model(x), y).item() for x, y in val_loader]
    print(f"{epoch:2d} train {sum(losses) / len(losses):.3f} val {sum(val) / len(val):.3f}")
