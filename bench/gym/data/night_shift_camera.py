"""Digits read by a recurrent network row by row, SGD; the camera's exposure changes at night.

Days and nights are one stream: from the 26th block on the pictures are dim and low in contrast, all
well within the range of pixel values.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BLOCKS = 34
NIGHT = 26
BATCH = 40


class RowReader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 48, batch_first=True)
        self.out = nn.Linear(48, 10)

    def forward(self, image):
        states, _ = self.rnn(image)
        return self.out(states[:, -1])


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        self.schedule = torch.optim.lr_scheduler.MultiStepLR(self.optimizer, [14, 20], gamma=0.2)

    def train(self, loader):
        self.model.train()
        total = 0.0
        for image, label in loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(image), label)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimizer.step()
            total += loss.item()
        self.schedule.step()
        return total / len(loader)

    @torch.no_grad()
    def validate(self, loader):
        self.model.eval()
        return sum(self.criterion(self.model(x), y).item() for x, y in loader) / len(loader)


def exposure(images, night):
    return 0.45 + 0.25 * images if night else images


torch.manual_seed(21)
torch.set_num_threads(1)
images, labels = load_digits(return_X_y=True)
images = torch.tensor(images.reshape(-1, 8, 8) / 16, dtype=torch.float32)
labels = torch.tensor(labels)
trainer = Trainer(RowReader(), lr=0.1)
for block in range(BLOCKS):
    seen = exposure(images, block >= NIGHT)
    train = DataLoader(TensorDataset(seen[:1200], labels[:1200]), BATCH, shuffle=True)
    val = DataLoader(TensorDataset(seen[1200:], labels[1200:]), 200)
    print(f"block {block}: {trainer.train(train):.4f} {trainer.validate(val):.4f}")
