"""Character transformer, AdamW, rate set by hand from a formula of the epoch.

``0.1 ** -(epoch // 10)`` was meant to be a decay; the sign makes it a growth by ten every ten epochs.
"""

import inspect
import json.decoder

import torch
from torch import nn

EPOCHS = 16
DECADE = 10
STEPS_PER_EPOCH = 30
BATCH = 16
CONTEXT = 24


def rate(epoch):
    return 1.5e-2 * 0.1 ** -(epoch // DECADE)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, h, mask):
        a = self.norm1(h)
        h = h + self.attention(a, a, a, attn_mask=mask, need_weights=False)[0]
        return h + self.mlp(self.norm2(h))


class Lm(nn.Module):
    def __init__(self, vocabulary, width=48):
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.place = nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList([Block(width, 4) for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        length = tokens.shape[1]
        mask = torch.full((length, length), float("-inf")).triu(1)
        h = self.token(tokens) + self.place(torch.arange(length))
        for block in self.blocks:
            h = block(h, mask)
        return self.head(self.norm(h))


torch.manual_seed(10)
torch.set_num_threads(1)
text = inspect.getsource(json.decoder)
chars = sorted(set(text))
data = torch.tensor([chars.index(c) for c in text])
train, val = data[:-1500], data[-1500:]
model = Lm(len(chars))
optimizer = torch.optim.AdamW(model.parameters(), lr=rate(0))


def sample(source, count):
    starts = torch.randint(len(source) - CONTEXT - 1, (count,))
    block = torch.stack([source[s : s + CONTEXT + 1] for s in starts])
    return block[:, :-1], block[:, 1:]


for epoch in range(EPOCHS):
    for group in optimizer.param_groups:
        group["lr"] = rate(epoch)
    model.train()
    for _ in range(STEPS_PER_EPOCH):
        tokens, following = sample(train, BATCH)
        loss = nn.functional.cross_entropy(model(tokens).flatten(0, 1), following.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        tokens, following = sample(val, 64)
        val_loss = nn.functional.cross_entropy(model(tokens).flatten(0, 1), following.flatten())
    print(f"epoch {epoch} lr {rate(epoch):.0e} loss {loss.item():.3f} val {val_loss.item():.3f}")
