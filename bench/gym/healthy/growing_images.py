"""Progressive resizing: digits at 8, then 12, then 16 pixels, fully convolutional."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

STAGES = [(8, 8), (12, 5), (16, 5)]


class FullyConvolutional(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.ReLU()
        )
        self.head = nn.Linear(24 * 4, 10)

    def forward(self, x):
        return self.head(F.adaptive_avg_pool2d(self.body(x), 2).flatten(1))


torch.manual_seed(14)
torch.set_num_threads(1)
digits = load_digits()
images = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
labels = torch.tensor(digits.target)
model = FullyConvolutional()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for size, epochs in STAGES:
    resized = F.interpolate(images, size=(size, size), mode="bilinear", align_corners=False)
    for epoch in range(epochs):
        for rows in torch.randperm(1500).split(30):
            loss = F.cross_entropy(model(resized[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            val = F.cross_entropy(model(resized[1500:]), labels[1500:])
        print(f"{size}px epoch {epoch} loss {loss.item():.3f} val {val.item():.3f}")
