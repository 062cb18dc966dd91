"""Digits, ConvNet with a moving average of its weights that is validated once it has settled."""

import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Average:
    def __init__(self, model, decay=0.98):
        self.decay = decay
        self.model = copy.deepcopy(model).requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for mine, theirs in zip(self.model.state_dict().values(), model.state_dict().values()):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - self.decay)
            else:
                mine.copy_(theirs)


class Validator:
    """Validates the model that it was given, or the average in its place."""

    def __init__(self, model, images, labels):
        self.model, self.images, self.labels = model, images, labels

    def use(self, model):
        self.model = copy.deepcopy(model).eval()

    @torch.no_grad()
    def __call__(self):
        mode = self.model.training
        self.model.eval()
        logits = self.model(self.images)
        self.model.train(mode)
        return F.cross_entropy(logits, self.labels).item(), (logits.argmax(1) == self.labels).float().mean().item()


def build():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 24, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(384, 10),
    )


def main():
    torch.set_num_threads(1)
    torch.manual_seed(24)
    digits = load_digits()
    x, y = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16, torch.tensor(digits.target)
    x, y, vx, vy = x[:1440], y[:1440], x[1440:], y[1440:]
    model = build()
    average = Average(model)
    validate = Validator(model, vx, vy)
    settled = Validator(average.model, vx, vy)
    settled.use(average.model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.004, momentum=0.9)
    for epoch in range(26):
        total = 0.0
        for rows in torch.randperm(1440).split(40):
            loss = F.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            average.update(model)
            total += loss.item() / 36
        loss, accuracy = (settled if epoch >= 12 else validate)()
        print(f"epoch {epoch}: train {total:.4f} val {loss:.4f} accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
