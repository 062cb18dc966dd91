"""Digits where one label in five is wrong from the start, CNN with the generalised cross-entropy and momentum SGD."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(20)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
labels = torch.tensor(digits.target)
given = labels.clone()
wrong = torch.randperm(1500)[:300]
given[wrong] = (given[wrong] + torch.randint(1, 10, (300,))) % 10

model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(16, 24, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(384, 10),
)  # fmt: skip
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)


def generalised(logits, target, q=0.7):
    chosen = logits.softmax(1).gather(1, target[:, None]).squeeze(1)
    return ((1 - chosen**q) / q).mean()


for epoch in range(22):
    total = 0.0
    for rows in torch.randperm(1500).split(30):
        loss = generalised(model(images[rows]), given[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() / 50
    with torch.no_grad():
        # validation labels are clean
        logits = model(images[1500:])
        accuracy = (logits.argmax(1) == labels[1500:]).float().mean()
    print(f"epoch {epoch:2d} train {total:.4f} val {generalised(logits, labels[1500:]):.4f} accuracy {accuracy:.3f}")
