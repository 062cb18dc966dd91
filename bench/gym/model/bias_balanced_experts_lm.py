"""Character model with a mixture of experts whose load is balanced by a bias on the router's scores instead of a loss."""
import argparse
import inspect
import json.decoder
import json.encoder
import shlex
import textwrap

import torch
from torch import nn


class Experts(nn.Module):
    def __init__(self, width, hidden, count, update=0.0, capacity=1.6):
        super().__init__()
        self.score = nn.Linear(width, count, bias=False)
        self.w1 = nn.Parameter(torch.randn(count, width, hidden) / width**0.5)
        self.w2 = nn.Parameter(torch.randn(count, hidden, width) / hidden**0.5)
        self.register_buffer("shift", torch.zeros(count))
        self.count, self.update, self.capacity = count, update, capacity

    def forward(self, x):
        flat = x.flatten(0, 1)
        score = torch.sigmoid(self.score(flat))
        chosen = (score + self.shift).argmax(1)
        limit = int(self.capacity * len(flat) / self.count)
        out = torch.zeros_like(flat)
        for e in range(self.count):
            rows = (chosen == e).nonzero()[:limit, 0]
            if rows.numel():
                y = torch.relu(flat[rows] @ self.w1[e]) @ self.w2[e]
                out = out.index_add(0, rows, y * score[rows, e : e + 1])
        if self.training and self.update:
            load = torch.bincount(chosen, minlength=self.count) / len(flat)
            self.shift += self.update * torch.sign(load - 1 / self.count)
        return out.view_as(x)


class CharExperts(nn.Module):
    def __init__(self, vocab, width=48):
        super().__init__()
        self.emb = nn.Embedding(vocab, width)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.moe = Experts(width, 64, 4)
        self.out = nn.Linear(width, vocab)

    def forward(self, ids):
        h, _ = self.rnn(self.emb(ids))
        return self.out(self.moe(self.norm(h)))


def get_args():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--epochs", type=int, default=16)
    p.add_argument("--steps", type=int, default=40)
    p.add_argument("--balance-from", type=int, default=8)
    p.add_argument("--balance-rate", type=float, default=0.01)
    return p.parse_args()


def main():
    args = get_args()
    torch.manual_seed(51)
    torch.set_num_threads(1)
    text = "".join(inspect.getsource(m) for m in (json.decoder, json.encoder, shlex, textwrap))
    table = {c: i for i, c in enumerate(sorted(set(text)))}
    ids = torch.tensor([table[c] for c in text])
    cut = int(len(ids) * 0.9)
    model = CharExperts(len(table))
    opt = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()

    def step(source, n, length=32):
        at = torch.randint(len(source) - length - 1, (n, 1)) + torch.arange(length + 1)
        block = source[at]
        return criterion(model(block[:, :-1]).flatten(0, 1), block[:, 1:].flatten())

    for epoch in range(args.epochs):
        model.train()
        model.moe.update = args.balance_rate if epoch >= args.balance_from else 0.0
        total = 0.0
        for _ in range(args.steps):
            loss = step(ids[:cut], 20)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            val = step(ids[cut:], 64).item()
        print(f"epoch {epoch:2d} train {total / args.steps:.4f} val {val:.4f}")


if __name__ == "__main__":
    main()
