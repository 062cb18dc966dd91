"""Release 0.9."""

import torch
from torch import nn


class RMSNorm(nn.Module):
    """x / rms(x), times one plus a learned offset."""

    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * (1 + self.weight)
