"""Digits with a small CNN in float16 autocast; the second half of training uses a larger effective batch."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Net(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.fc1 = nn.Linear(2 * width * 4, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class Trainer:
    def __init__(self, model, train, val, lr=0.05, weight_decay=0.015, max_norm=5.0):
        self.model = model
        self.train, self.val = train, val
        self.max_norm = max_norm
        self.optimizer = torch.optim.SGD(
            model.parameters(), lr=lr, momentum=0.9, nesterov=True, weight_decay=weight_decay
        )
        self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**15, growth_interval=200)
        self.accumulate = 1
        self.calls = 0

    def forward_backward(self, x, y):
        with torch.autocast("cpu", dtype=torch.float16):
            loss = F.cross_entropy(self.model(x), y)
        self.scaler.scale(loss / self.accumulate).backward()
        return loss.item()

    def step(self):
        nn.utils.clip_grad_norm_(self.model.parameters(), self.max_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)

    def epoch(self):
        self.model.train()
        losses = []
        for x, y in self.train:
            losses.append(self.forward_backward(x, y))
            self.calls += 1
            if self.accumulate == 1:
                self.scaler.unscale_(self.optimizer)
                self.step()
            elif self.calls % self.accumulate == 0:
                self.step()
        return sum(losses) / len(losses)

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        total = sum(F.cross_entropy(self.model(x), y, reduction="sum").item() for x, y in self.val)
        return total / len(self.val.dataset)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(3)
    digits = load_digits()
    data = TensorDataset(torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16, torch.tensor(digits.target))
    train, val = random_split(data, [1440, 357])
    trainer = Trainer(Net(), DataLoader(train, 24, shuffle=True), DataLoader(val, 119))
    for epoch in range(22):
        if epoch == 7:
            trainer.accumulate = 2
        loss = trainer.epoch()
        print(f"epoch {epoch:2d}  train {loss:.4f}  val {trainer.evaluate():.4f}")


if __name__ == "__main__":
    main()
