"""Digits with shifted copies, CNN, SGD: the data set is stored class by class, as folders are.

The loader was given a sampler for several nodes, and the sampler does not shuffle.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, SequentialSampler, TensorDataset

EPOCHS = 2
PER_CLASS = 120
BATCH = 40
SHIFTS = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (2, 0), (-2, 0)]


def augmented_folder():
    digits = load_digits()
    images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
    labels = torch.tensor(digits.target)
    train_images, train_labels, val_rows = [], [], []
    for digit in range(10):
        rows = torch.nonzero(labels == digit).flatten()
        train, val = rows[:PER_CLASS], rows[PER_CLASS:]
        copies = [images[train].roll(shift, (2, 3)) for shift in SHIFTS]
        train_images += copies
        train_labels += [labels[train]] * len(copies)
        val_rows.append(val)
    rows = torch.cat(val_rows)
    return (
        TensorDataset(torch.cat(train_images), torch.cat(train_labels)),
        TensorDataset(images[rows], labels[rows]),
    )


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, 3)
        self.conv2 = nn.Conv2d(10, 20, 3)
        self.fc1 = nn.Linear(320, 50)
        self.fc2 = nn.Linear(50, 10)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


torch.manual_seed(51)
torch.set_num_threads(1)
train, val = augmented_folder()
train_loader = DataLoader(train, BATCH, sampler=SequentialSampler(train))
val_loader = DataLoader(val, 200)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
for epoch in range(EPOCHS):
    model.train()
    for step, (image, label) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(image), label)
        loss.backward()
        optimizer.step()
        if step % 33 == 0:
            print(f"epoch {epoch} step {step} loss {loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        losses = [criterion(model(x), y).item() for x, y in val_loader]
    print(f"epoch {epoch} validation {sum(losses) / len(losses):.4f}")
