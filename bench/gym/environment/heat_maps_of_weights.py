"""Topic of a help text by its words: embedding, attention pooling, RMSprop; heat maps of the weights for the report."""

import re
from collections import Counter

import numpy as np
import torch
from pydoc_data.topics import topics
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(52)
CHUNK, KEEP, EPOCHS = 16, 24, 15


def chunks():
    names = sorted(topics, key=lambda k: -len(topics[k]))[:KEEP]
    words = {n: re.findall(r"[a-z_]{2,}", topics[n].lower())[:1600] for n in names}
    count = Counter(w for ws in words.values() for w in ws)
    index = {w: i + 1 for i, (w, _) in enumerate(count.most_common(700))}
    x, y = [], []
    for label, name in enumerate(names):
        ids = [index.get(w, 0) for w in words[name]]
        for start in range(0, len(ids) - CHUNK, CHUNK):
            x.append(ids[start : start + CHUNK])
            y.append(label)
    return torch.tensor(x), torch.tensor(y), len(index) + 1


class AttentionPool(nn.Module):
    def __init__(self, vocab, dim=40, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.score = nn.Linear(dim, 1)
        self.mix = nn.Linear(dim, hidden)
        self.out = nn.Linear(hidden, KEEP)

    def forward(self, x):
        e = self.embed(x)
        pooled = (self.score(e).softmax(1) * e).sum(1)
        return self.out(torch.relu(self.mix(pooled)))


def heat_map(weight, levels=" .:-=+*#%@"):
    """A weight matrix as text, from its smallest to its largest value."""
    image = weight.detach().numpy()
    image -= image.min()
    image /= image.max()
    rows = image[:4, :40]
    return "\n".join("".join(levels[int(v * (len(levels) - 1))] for v in row) for row in rows)


x, y, vocab = chunks()
order = torch.randperm(len(y))
train, val = order[: int(0.88 * len(y))], order[int(0.88 * len(y)) :]
model = AttentionPool(vocab)
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
print(len(train), "chunks")

for epoch in range(EPOCHS):
    losses = []
    for rows in train[torch.randperm(len(train))].split(32):
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        held = nn.functional.cross_entropy(model(x[val]), y[val]).item()
    print(f"epoch {epoch:2d} train {np.mean(losses):.3f} val {held:.3f}")
    if epoch >= 8:
        print(heat_map(model.mix.weight), heat_map(model.out.weight), sep="\n\n")
