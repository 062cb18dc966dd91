"""Predicts the next characters of the argparse sources by unrolling a latent dynamics, as MuZero does."""

import argparse as argparse_module
import inspect

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(7)
torch.set_num_threads(1)

text = inspect.getsource(argparse_module)
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
split = int(len(ids) * 0.9)
CONTEXT, BATCH, EPOCHS = 12, 48, 10


def scale_gradient(x, factor):
    return x * factor + x.detach() * (1 - factor)


class LatentModel(nn.Module):
    def __init__(self, vocab, dim=24, hidden=128):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.represent = nn.Sequential(nn.Linear(CONTEXT * dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.dynamics = nn.Sequential(nn.Linear(hidden + dim, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.norm = nn.LayerNorm(hidden)
        self.predict = nn.Linear(hidden, vocab)

    def forward(self, context, future):
        h = self.norm(self.represent(self.embed(context).flatten(1)))
        logits = [self.predict(h)]
        for k in range(future.shape[1] - 1):
            # half of the gradient goes on, or long unrolls would dominate
            h = scale_gradient(h, 2.0)
            h = self.norm(h + self.dynamics(torch.cat([h, self.embed(future[:, k])], 1)))
            logits.append(self.predict(h))
        return torch.stack(logits, 1)


def batch(low, high, unroll, rng):
    at = torch.randint(low, high - CONTEXT - unroll, (BATCH,), generator=rng)
    context = torch.stack([ids[i : i + CONTEXT] for i in at])
    return context, torch.stack([ids[i + CONTEXT : i + CONTEXT + unroll] for i in at])


model = LatentModel(len(chars))
opt = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
rng = torch.Generator().manual_seed(1)
for epoch in range(EPOCHS):
    unroll = 2 if epoch < EPOCHS // 2 else 12
    model.train()
    for _ in range(70):
        context, future = batch(0, split, unroll, rng)
        opt.zero_grad()
        loss = F.cross_entropy(model(context, future).flatten(0, 1), future.flatten())
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        context, future = batch(split, len(ids), 2, torch.Generator().manual_seed(0))
        val = F.cross_entropy(model(context, future).flatten(0, 1), future.flatten()).item()
    print(f"epoch {epoch} unroll {unroll} train {loss.item():.3f} val {val:.3f}")
