"""Order-free classifier of word bags with one attention layer; padding is masked out."""

import inspect
import random
import string

import torch
from torch import nn

torch.manual_seed(0)
random.seed(0)
torch.set_num_threads(1)
sources = [inspect.getsource(m) for m in (inspect, random, string)]
words = sorted({w for text in sources for w in text.split()})
index = {w: i + 1 for i, w in enumerate(words)}


class Bag(nn.Module):
    def __init__(self, size, width=32):
        super().__init__()
        self.embed = nn.Embedding(size, width, padding_idx=0)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.head = nn.Linear(width, 3)

    def forward(self, tokens):
        h = self.embed(tokens)
        score = self.query(h) @ self.key(h).transpose(1, 2) / h.shape[-1] ** 0.5
        pad = tokens.eq(0)
        score = score + torch.zeros(pad.shape).masked_fill(pad, float("-inf"))[:, None, :]
        weight = score.softmax(-1)
        pooled = (weight @ h).nan_to_num().mean(1)
        return self.head(pooled)


def line_batch(step):
    tokens, labels = [], []
    for _ in range(32):
        kind = random.randrange(3)
        text = random.choice(sources[kind].split("\n"))
        while step < 450 and not text.split():
            text = random.choice(sources[kind].split("\n"))
        ids = [index[w] for w in text.split()][:12]
        tokens.append(ids + [0] * (12 - len(ids)))
        labels.append(kind)
    return torch.tensor(tokens), torch.tensor(labels)


model = Bag(len(words) + 1)
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
for step in range(800):
    tokens, labels = line_batch(step)
    loss = nn.functional.cross_entropy(model(tokens), labels)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 40 == 0:
        print(f"{step} {loss.item():.4f}")
