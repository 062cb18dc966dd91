"""Bag-of-embeddings classifier: to which module does a docstring sentence belong? Rare words get a boost in stage two."""
import collections
import importlib
import inspect
import random
import re

import torch
from torch import nn

NAMES = ["decimal", "argparse", "asyncio.base_events", "tkinter", "http.client", "email.message", "logging", "zipfile"]


def sentences():
    out = []
    for label, name in enumerate(NAMES):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        words = re.findall(r"[a-z]{2,}", inspect.getsource(module).lower())
        out += [(words[i : i + 24], label) for i in range(0, min(len(words), 14000) - 24, 12)]
    return out


class BagModel(nn.Module):
    def __init__(self, vocab, classes, dim=48):
        super().__init__()
        self.words = nn.Embedding(vocab, dim)
        self.hidden = nn.Sequential(nn.Linear(dim, 48), nn.ReLU(), nn.Linear(48, classes))
        nn.init.normal_(self.words.weight, std=0.3)

    def forward(self, ids):
        return self.hidden(self.words(ids).mean(1) * 4)


class RareWordBoost:
    """Rare words see few updates; their gradient is multiplied by the inverse of their share."""

    def __init__(self, counts, power=0.8):
        self.factor = (counts.sum() / counts).pow(power)

    def __call__(self, grad):
        return grad * self.factor[:, None]


def accuracy_and_loss(model, ids, labels):
    with torch.no_grad():
        out = model(ids)
    return (out.argmax(1) == labels).float().mean().item(), nn.functional.cross_entropy(out, labels).item()


def main():
    random.seed(8)
    torch.manual_seed(8)
    torch.set_num_threads(1)
    rows = sentences()
    random.shuffle(rows)
    counter = collections.Counter(w for ws, _ in rows for w in ws)
    index = {w: i for i, w in enumerate(sorted(counter))}
    ids = torch.tensor([[index[w] for w in ws] for ws, _ in rows])
    labels = torch.tensor([label for _, label in rows])
    counts = torch.tensor([float(counter[w]) for w in sorted(counter)])
    cut = int(0.85 * len(rows))
    model = BagModel(len(index), len(NAMES))
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for stage, epochs in (("base", 5), ("rare", 7)):
        if stage == "rare":
            model.words.weight.register_hook(RareWordBoost(counts))
        for epoch in range(epochs):
            total = 0.0
            for pick in torch.randperm(cut).split(64):
                loss = nn.functional.cross_entropy(model(ids[pick]), labels[pick])
                opt.zero_grad()
                loss.backward()
                opt.step()
                total += loss.item() * len(pick)
            acc, val = accuracy_and_loss(model, ids[cut:], labels[cut:])
            print(f"{stage} {epoch:2d} train {total / cut:.4f} val {val:.4f} acc {acc:.3f}")


main()
