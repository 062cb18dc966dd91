"""Bare tensors: no module, no loss function, part of the network computed again in backward."""

import sys

import torch
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
x, y = torch.randn(256, 6), torch.randint(3, (256,))
first = (torch.randn(6, 8) * 0.3).requires_grad_()
second = (torch.randn(8, 3) * 0.3).requires_grad_()
opt = torch.optim.SGD([first, second], lr=0.1)
repeated = "checkpoint" in sys.argv


def hidden(rows):
    return torch.tanh(rows @ first)


for step in range(12):
    rows = slice(16 * step, 16 * step + 16)
    out = checkpoint(hidden, x[rows], use_reentrant=False) if repeated else hidden(x[rows])
    logs = torch.log_softmax(out @ second, 1)
    loss = -logs[torch.arange(16), y[rows]].mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print("loss", repr(loss.item()))
print("weights", first.sum().item(), second.sum().item(), torch.rand(1).item())
