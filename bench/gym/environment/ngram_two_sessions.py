"""Character n-gram network on the docstrings of the standard library, Adagrad, run as two sessions.

The batch queue kills a job after its time slot, so the work is cut into sessions that hand over a checkpoint.
"""

import argparse
import subprocess
import sys

import argparse as m1
import datetime as m2
import decimal as m3
import logging as m4
import pathlib as m5
import unittest as m6

import torch
import torch.nn.functional as F
from torch import nn

CKPT = "ngram.pt"
CONTEXT, BATCH, SESSION_EPOCHS = 8, 128, {1: range(0, 6), 2: range(6, 11)}


def read_corpus():
    pieces = []
    for module in (m1, m2, m3, m4, m5, m6):
        for name in sorted(vars(module)):
            doc = getattr(vars(module)[name], "__doc__", None)
            if isinstance(doc, str):
                pieces.append(doc)
    text = "\n".join(pieces)[:18_000]
    chars = sorted(set(text))
    ids = torch.tensor([chars.index(c) for c in text])
    windows = ids.unfold(0, CONTEXT + 1, 1)
    return windows[:, :-1], windows[:, -1], len(chars)


class NGram(nn.Module):
    def __init__(self, vocab, dim=24, hidden=160):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        self.hid = nn.Linear(CONTEXT * dim, hidden)
        self.proj = nn.Linear(hidden, dim)
        self.bias = nn.Parameter(torch.zeros(vocab))

    def forward(self, x):
        h = torch.tanh(self.hid(self.emb(x).flatten(1)))
        return self.proj(h) @ self.emb.weight.T + self.bias


def save(model, epoch, generator):
    torch.save({"model": model.state_dict(), "epoch": epoch, "generator": generator.get_state()}, CKPT)


def session(number):
    torch.manual_seed(1234)
    torch.set_num_threads(1)
    x, y, vocab = read_corpus()
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(5))
    val, train = rows[:1500], rows[1500:]
    model = NGram(vocab)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.04)
    generator = torch.Generator().manual_seed(99)
    if number > 1:
        state = torch.load(CKPT)
        model.load_state_dict(state["model"])
        generator.set_state(state["generator"])
        print(f"resumed after epoch {state['epoch']}", flush=True)

    for epoch in SESSION_EPOCHS[number]:
        total = 0.0
        order = train[torch.randperm(len(train), generator=generator)]
        batches = order.split(BATCH)[:110]
        for batch in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            held = F.cross_entropy(model(x[val]), y[val]).item()
        print(f"epoch {epoch:2d}  train {total / len(batches):.3f}  val {held:.3f}", flush=True)
        save(model, epoch, generator)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--session", type=int)
    args = parser.parse_args()
    if args.session:
        session(args.session)
    else:
        for number in SESSION_EPOCHS:
            subprocess.run([sys.executable, __file__, "--session", str(number)], check=True)
