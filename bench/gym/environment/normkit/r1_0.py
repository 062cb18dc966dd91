"""Release 1.0."""

import torch
from torch import nn


class RMSNorm(nn.Module):
    """x / rms(x), times a learned gain."""

    def __init__(self, dim, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight
