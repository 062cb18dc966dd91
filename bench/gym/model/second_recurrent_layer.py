"""Character GRU on the Zen of Python and docstrings of `math`-like modules; a second recurrent layer is stacked on top midway."""
import codecs
import pydoc
import math
import itertools
import random
import this

import torch
from torch import nn

torch.manual_seed(33)
torch.set_num_threads(1)


def orthogonal_(rnn, gain):
    """Orthogonal init gate by gate."""
    for name, p in rnn.named_parameters():
        if "weight" in name:
            for gate in p.data.chunk(3):
                nn.init.orthogonal_(gate, gain=gain)
        else:
            nn.init.zeros_(p)


class Stack(nn.Module):
    def __init__(self, vocab, width=64):
        super().__init__()
        self.width = width
        self.emb = nn.Embedding(vocab, width)
        self.layers = nn.ModuleList([nn.GRU(width, width, batch_first=True)])
        self.out = nn.Linear(width, vocab)
        orthogonal_(self.layers[0], 1.0)

    def stack(self, gain=10.0):
        layer = nn.GRU(self.width, self.width, batch_first=True)
        orthogonal_(layer, gain)
        self.layers.append(layer)

    def forward(self, x):
        h = self.emb(x)
        for i, layer in enumerate(self.layers):
            y, _ = layer(h)
            h = y if i == 0 else h + y
        return self.out(h)


text = codecs.decode(this.s, "rot13") + "".join(pydoc.plain(pydoc.render_doc(m)) for m in (math, itertools, random))
alphabet = sorted(set(text))
ids = torch.tensor([alphabet.index(c) for c in text])
cut = int(len(ids) * 0.88)
model = Stack(len(alphabet))
opt = torch.optim.SGD(model.parameters(), lr=0.8)
loss_fn = nn.CrossEntropyLoss()


def sample(lo, hi, n, t=40):
    at = torch.randint(lo, hi - t - 1, (n, 1)) + torch.arange(t + 1)
    return ids[at][:, :-1], ids[at][:, 1:]


for epoch in range(18):
    if epoch == 11:
        model.stack()
        opt = torch.optim.SGD(model.parameters(), lr=0.8)
    train_loss = 0.0
    for _ in range(40):
        x, y = sample(0, cut, 16)
        loss = loss_fn(model(x).transpose(1, 2), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        opt.step()
        train_loss += loss.item() / 40
    with torch.no_grad():
        x, y = sample(cut, len(ids), 64)
        val_loss = loss_fn(model(x).transpose(1, 2), y).item()
    print(f"epoch {epoch:2d} layers {len(model.layers)} train {train_loss:.3f} val {val_loss:.3f}")
