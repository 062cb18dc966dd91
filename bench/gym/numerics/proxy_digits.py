"""Metric learning on digits: images are drawn to the proxy of their class, with a sharpness that rises in steps."""

from dataclasses import dataclass, field

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import normalize


@dataclass
class Settings:
    epochs: int = 28
    batch: int = 60
    lr: float = 0.01
    sharpness: dict = field(default_factory=lambda: {0: 5.0, 6: 8.0, 12: 10.0, 17: 13.0})


class Embedder(nn.Module):
    def __init__(self, size=24):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.Conv2d(12, 24, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(24 * 16, size),
        )

    def forward(self, images):
        return normalize(self.body(images).float(), dim=1)


class Proxies(nn.Module):
    def __init__(self, classes, size=24):
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(classes, size))

    def forward(self, embedding, labels, sharpness):
        cosine = embedding.half() @ normalize(self.proxies, dim=1).half().T
        pull = torch.exp(sharpness * cosine)
        own = pull.gather(1, labels[:, None]).squeeze(1)
        return -(own / pull.sum(1)).float().clamp_min(1e-6).log().mean()


def train(settings):
    torch.set_num_threads(1)
    torch.manual_seed(31)
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(digits.target)
    order = torch.randperm(1797)
    fit, val = order[:1500], order[1500:]
    embedder, proxies = Embedder(), Proxies(10)
    optimizer = torch.optim.Adagrad([*embedder.parameters(), *proxies.parameters()], lr=settings.lr)
    sharpness = None
    for epoch in range(settings.epochs):
        sharpness = settings.sharpness.get(epoch, sharpness)
        embedder.train()
        losses = []
        for rows in fit[torch.randperm(1500)].split(settings.batch):
            loss = proxies(embedder(images[rows]), labels[rows], sharpness)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        embedder.eval()
        with torch.no_grad():
            checked = proxies(embedder(images[val]), labels[val], sharpness).item()
        print(f"epoch {epoch:2d} s={sharpness:g} train {sum(losses) / len(losses):.4f} val {checked:.4f}")


if __name__ == "__main__":
    train(Settings())
