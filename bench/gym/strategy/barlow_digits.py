"""Self-supervised digits with Barlow Twins: two noisy views, a cross-correlation that should be the identity."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Views(Dataset):
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def view(self, image):
        dy, dx = torch.randint(-1, 2, (2,)).tolist()
        return torch.roll(image, (dy, dx), (1, 2)) + 0.1 * torch.randn_like(image)

    def __getitem__(self, row):
        return self.view(self.images[row]), self.view(self.images[row])


class Barlow(nn.Module):
    def __init__(self, size=24, off=0.02):
        super().__init__()
        self.off = off
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(384, 64), nn.ReLU(), nn.Linear(64, size),
        )  # fmt: skip

    def forward(self, a, b):
        a, b = self.encoder(a), self.encoder(b)
        a = (a - a.mean(0)) / (a.std(0) + 1e-5)
        b = (b - b.mean(0)) / (b.std(0) + 1e-5)
        c = a.T @ b / len(a)
        diagonal = (torch.diagonal(c) - 1).pow(2).sum()
        rest = c.pow(2).sum() - torch.diagonal(c).pow(2).sum()
        return diagonal + self.off * rest


def main():
    torch.set_num_threads(1)
    torch.manual_seed(71)
    images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 16
    model = Barlow()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    plan = {0: 1280, 16: 1481}  # more images once the loader is known to work
    for epoch in range(28):
        if epoch in plan:
            loader = DataLoader(Views(images[: plan[epoch]]), batch_size=40, shuffle=True)
        total = 0.0
        for a, b in loader:
            loss = model(a, b)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            held = images[1537:]
            noise = 0.1 * torch.randn(2, *held.shape, generator=torch.Generator().manual_seed(1))
            val = model(held + noise[0], held.roll(1, 3) + noise[1]).item()
        print(f"epoch {epoch:2d} train {total / len(loader):.4f} val {val:.4f}")


main()
