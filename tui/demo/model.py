"""The network and the data of the demonstration."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

NUM_CLASSES = 10


class DigitNet(nn.Module):
    """A small convolutional network for 8x8 grey images, [batch, 1, 8, 8] to [batch, 10]."""

    def __init__(self, norm: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1, stride=2), nn.ReLU()
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(512, 64),
            nn.BatchNorm1d(64) if norm else nn.Identity(),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(64, NUM_CLASSES),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        logits: torch.Tensor = self.head(self.features(images))
        return logits


class _Multiply(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, value: torch.Tensor, factor: float) -> torch.Tensor:
        context.factor = factor
        return value.view_as(value)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradients[0] * context.factor, None


class GradientMultiplier(nn.Module):
    """Passes its input on, and its gradient times ``factor`` back: trains a backbone more slowly."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """Return the input."""
        result: torch.Tensor = _Multiply.apply(value, self.factor)  # type: ignore[no-untyped-call]
        return result


def load_digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Return scikit-learn's digits: images [1797, 1, 8, 8] in 0..1 and labels [1797]."""
    from sklearn.datasets import load_digits as load

    data = load()
    images = torch.tensor(data.images, dtype=torch.float32).unsqueeze(1) / 16.0
    return images, torch.tensor(data.target, dtype=torch.int64)
