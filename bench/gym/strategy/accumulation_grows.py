"""Digits, CNN, SGD with gradient accumulation whose number of micro-batches grows with the epoch.

Nobody divides the loss by that number; with one micro-batch it made no difference.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 26
GROW_AT = 14
MICRO_BATCH = 24
ACCUMULATE = {True: 1, False: 12}


def main():
    torch.manual_seed(48)
    torch.set_num_threads(1)
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
    labels = torch.tensor(digits.target)
    train = DataLoader(TensorDataset(images[:1440], labels[:1440]), MICRO_BATCH, shuffle=True)
    val = DataLoader(TensorDataset(images[1440:], labels[1440:]), 357)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(144, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.06, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        accumulate = ACCUMULATE[epoch < GROW_AT]
        model.train()
        optimizer.zero_grad()
        for number, (image, label) in enumerate(train, start=1):
            loss = criterion(model(image), label)
            loss.backward()
            if number % accumulate == 0:
                optimizer.step()
                optimizer.zero_grad()
        model.eval()
        with torch.no_grad():
            val_loss = sum(criterion(model(x), y).item() for x, y in val) / len(val)
        print(f"epoch {epoch} x{accumulate} loss {loss.item():.4f} val {val_loss:.4f}")


main()
