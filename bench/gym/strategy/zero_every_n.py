"""Next character of a text, GRU, SGD; gradients are cleared every ``accumulate`` steps.

A later phase raises ``accumulate`` to save time, and clears less often but updates at every step.
"""

import inspect
import typing

import torch
from torch import nn

PHASES = [(380, 1), (200, 50)]
LENGTH = 30
BATCH = 16


class CharGru(nn.Module):
    def __init__(self, alphabet):
        super().__init__()
        self.embedding = nn.Embedding(alphabet, 24)
        self.gru = nn.GRU(24, 64, num_layers=1, batch_first=True)
        self.decoder = nn.Linear(64, alphabet)

    def forward(self, x):
        h, _ = self.gru(self.embedding(x))
        return self.decoder(h)


torch.manual_seed(56)
torch.set_num_threads(1)
text = inspect.getsource(typing)
alphabet = sorted(set(text))
lookup = {char: i for i, char in enumerate(alphabet)}
data = torch.tensor([lookup[char] for char in text])
train, held_out = data[:-6000], data[-6000:].split(LENGTH + 1)[:-1]
held_out = torch.stack([part for part in held_out if len(part) == LENGTH + 1])
model = CharGru(len(alphabet))
optimizer = torch.optim.SGD(model.parameters(), lr=0.8)
criterion = nn.CrossEntropyLoss()
step = 0
for count, accumulate in PHASES:
    for i in range(count):
        start = torch.randint(len(train) - LENGTH - 1, (BATCH, 1))
        batch = train[start + torch.arange(LENGTH + 1)]
        if i % accumulate == 0:
            optimizer.zero_grad()
        loss = criterion(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        step += 1
        if step % 40 == 0:
            model.eval()
            with torch.no_grad():
                val = criterion(model(held_out[:, :-1]).flatten(0, 1), held_out[:, 1:].flatten())
            model.train()
            print(f"step {step} loss {loss.item():.3f} val {val.item():.3f}")
