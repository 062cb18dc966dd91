"""Digits, CNN with batch normalisation, SGD. From epoch 8 on a validation runs after each epoch.

It sets the model to evaluation, and nobody sets it back.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 18
VALIDATE_FROM = 8
BATCH = 48


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = self.block(1, 16)
        self.middle = self.block(16, 32)
        self.top = self.block(32, 32)
        self.classifier = nn.Linear(32, 10)

    @staticmethod
    def block(before, after):
        return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())

    def forward(self, x):
        x = nn.functional.max_pool2d(self.middle(self.stem(x)), 2)
        return self.classifier(self.top(x).mean((2, 3)))


def validate(model, loader):
    model.eval()
    correct = 0
    with torch.no_grad():
        for image, label in loader:
            correct += (model(image).argmax(1) == label).sum().item()
    return correct / len(loader.dataset)


torch.manual_seed(30)
torch.set_num_threads(1)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
labels = torch.tensor(digits.target)
train_loader = DataLoader(TensorDataset(images[:1440], labels[:1440]), BATCH, shuffle=True)
val_loader = DataLoader(TensorDataset(images[1440:], labels[1440:]), 119)
model = ConvNet()
model.train()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(EPOCHS):
    for image, label in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(image), label)
        loss.backward()
        optimizer.step()
    line = f"epoch {epoch} loss {loss.item():.4f}"
    if epoch + 1 >= VALIDATE_FROM:
        line += f" accuracy {validate(model, val_loader):.3f}"
    print(line)
