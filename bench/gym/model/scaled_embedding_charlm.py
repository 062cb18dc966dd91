"""Next characters of `turtle` sources with a causal conv net; weights are converted to scaled embeddings (factor in the forward pass) midway."""
import pathlib
import sysconfig

import torch
from torch import nn
from torch.nn import functional as F


class ScaledEmbedding(nn.Module):
    """Embedding with a fixed factor in the forward pass, as in the sources the second half is to be compared with."""

    def __init__(self, weight, factor):
        super().__init__()
        self.factor = factor
        self.weight = nn.Parameter(weight / factor)

    def forward(self, ids):
        return F.embedding(ids, self.weight) * self.factor


class ConvLM(nn.Module):
    def __init__(self, vocab, width=48, layers=3):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.convs = nn.ModuleList([nn.Conv1d(width, 2 * width, 3, dilation=2**i) for i in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab)

    def forward(self, ids):
        h = self.embed(ids).transpose(1, 2)
        for i, conv in enumerate(self.convs):
            h = h + F.glu(conv(F.pad(h, (2 * 2**i, 0))), 1)
        return self.head(self.norm(h.transpose(1, 2)))


def convert(model, factor):
    model.embed = ScaledEmbedding(model.embed.weight.detach().clone(), factor)
    return model


def load_text(limit=60_000):
    path = pathlib.Path(sysconfig.get_paths()["stdlib"]) / "turtle.py"
    return path.read_text()[:limit]


class Run:
    def __init__(self):
        text = load_text()
        symbols = sorted(set(text))
        self.ids = torch.tensor([symbols.index(c) for c in text])
        self.cut = int(len(self.ids) * 0.9)
        self.model = ConvLM(len(symbols))

    def batch(self, low, high, n=24, length=32):
        at = torch.randint(low, high - length - 1, (n, 1)) + torch.arange(length + 1)
        return self.ids[at[:, :-1]], self.ids[at[:, 1:]]

    def loss(self, x, y):
        return F.cross_entropy(self.model(x).flatten(0, 1), y.flatten())

    def epochs(self, numbers, lr, steps=40):
        opt = torch.optim.SGD(self.model.parameters(), lr=lr, momentum=0.9)
        for n in numbers:
            total = 0.0
            for _ in range(steps):
                loss = self.loss(*self.batch(0, self.cut))
                opt.zero_grad()
                loss.backward()
                opt.step()
                total += loss.item() / steps
            with torch.no_grad():
                val = self.loss(*self.batch(self.cut, len(self.ids), n=128)).item()
            print(f"epoch {n:2d} train {total:.4f} val {val:.4f}")


if __name__ == "__main__":
    torch.manual_seed(61)
    torch.set_num_threads(1)
    run = Run()
    run.epochs(range(11), lr=0.1)
    convert(run.model, factor=48.0)
    run.epochs(range(11, 20), lr=0.1)
