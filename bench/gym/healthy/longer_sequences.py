"""Adding problem for a GRU with a curriculum: sequences get longer every 200 steps."""

import torch
from torch import nn

torch.manual_seed(12)
torch.set_num_threads(1)


class Adder(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.rnn = nn.GRU(2, width, batch_first=True)
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1]).squeeze(1)


def batch(length, size=32):
    numbers = torch.rand(size, length)
    marks = torch.zeros(size, length)
    for row in range(size):
        marks[row, torch.randperm(length)[:2]] = 1.0
    return torch.stack([numbers, marks], 2), (numbers * marks).sum(1)


model = Adder()
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
CURRICULUM = [4, 6, 9, 13]
step = 0
for length in CURRICULUM:
    for _ in range(200):
        x, y = batch(length)
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 40 == 0:
            print(f"step {step} length {length} mse {loss.item():.4f}")
        step += 1
