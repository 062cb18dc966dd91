"""Causal transformer over the characters of Python sources, AdamW with warm-up, plateau and decay of the rate per step.

``fit`` is called by a supervisor that starts the worker anew when its lease ends and hands over the last state.
"""

import io
import textwrap
import json.decoder
import json.encoder
import statistics
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

CONTEXT, BATCH, PER_EPOCH, EPOCHS = 32, 24, 60, 13
PEAK, WARMUP, PLATEAU = 4e-2, 25, 260


def tokens():
    files = [json.decoder.__file__, json.encoder.__file__, statistics.__file__, textwrap.__file__]
    text = "".join(Path(f).read_text() for f in files)
    index = {c: i for i, c in enumerate(sorted(set(text)))}
    return torch.tensor([index[c] for c in text]), len(index)


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.n1, self.n2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 3 * dim), nn.GELU(), nn.Linear(3 * dim, dim))

    def forward(self, h):
        b, t, d = h.shape
        q, k, v = (z.view(b, t, self.heads, -1).transpose(1, 2) for z in self.qkv(self.n1(h)).chunk(3, -1))
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        h = h + self.out(a.transpose(1, 2).reshape(b, t, d))
        return h + self.mlp(self.n2(h))


class LM(nn.Module):
    def __init__(self, vocab, dim=40):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, dim), nn.Embedding(CONTEXT, dim)
        self.blocks = nn.Sequential(Block(dim, 4), Block(dim, 4))
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, vocab)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.tok(x) + self.pos.weight)))


def rate(step):
    """Warm-up, plateau, then a straight line down to a floor of one hundredth."""
    if step < WARMUP:
        return (step + 1) / WARMUP
    return min(1.0, max(0.01, 1 - (step - PLATEAU) / 150))


def fit(stream, vocab, lease, state=None):
    model = LM(vocab)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK, betas=(0.9, 0.98), weight_decay=0.1)
    scheduler = LambdaLR(optimizer, rate)
    start = 0
    if state is not None:
        saved = torch.load(io.BytesIO(state))
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        start = saved["epoch"] + 1
        for _ in range(start):
            scheduler.step()
    train, held = stream[:-2000], stream[-2000:]
    held = held[: 2000 // (CONTEXT + 1) * (CONTEXT + 1)].view(-1, CONTEXT + 1)
    for epoch in range(start, min(EPOCHS, start + lease)):
        g = torch.Generator().manual_seed(1000 + epoch)
        total = 0.0
        for _ in range(PER_EPOCH):
            at = torch.randint(len(train) - CONTEXT - 1, (BATCH, 1), generator=g)
            seq = train[at + torch.arange(CONTEXT + 1)]
            loss = F.cross_entropy(model(seq[:, :-1]).flatten(0, 1), seq[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            total += loss.item()
        with torch.no_grad():
            val = F.cross_entropy(model(held[:, :-1]).flatten(0, 1), held[:, 1:].flatten()).item()
        print(f"epoch {epoch} train {total / PER_EPOCH:.3f} val {val:.3f}")
    out = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, out)
    return out.getvalue()


torch.manual_seed(4)
torch.set_num_threads(1)
STREAM, VOCAB = tokens()
leased = fit(STREAM, VOCAB, lease=9)
fit(STREAM, VOCAB, lease=EPOCHS, state=leased)
