"""Does a line come from a docstring, a comment or code? Convolutions and attention, Adam; two runs.

Each run states the version of seqkit that it has; masks are made here, as they come with the batches.
"""

import io
import subprocess
import sys
import tokenize
from importlib import import_module
from pathlib import Path

import argparse
import ast
import inspect
import numbers
import optparse
import pickle
import threading

import numpy as np
import torch
from torch import nn

WIDTH = 56
SEQKIT = {"spring": "1", "autumn": "2"}
PLAN = {"spring": (0, 8, 3e-3), "autumn": (8, 12, 2e-4)}


def lines():
    found = {0: set(), 1: set(), 2: set()}
    for module in (argparse, ast, inspect, numbers, optparse, pickle, threading, tokenize):
        source = Path(module.__file__).read_text()
        inside = set()
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = {tokenize.STRING: 0, tokenize.COMMENT: 1}.get(token.type)
            if kind == 1:
                found[1].add(token.string.lstrip("# "))
            elif kind == 0 and token.string.startswith('"""'):
                found[0].update(line.strip(' "') for line in token.string.splitlines())
                inside.update(range(token.start[0], token.end[0] + 1))
        code = enumerate(source.splitlines(), 1)
        found[2].update(line.split("#")[0].strip() for number, line in code if number not in inside)
    rows = [(text[:WIDTH], kind) for kind in found for text in sorted(found[kind]) if len(text) > 5]
    order = np.random.default_rng(1).permutation(len(rows))
    return [rows[n] for n in order[:3400]]


def encode(rows):
    x = torch.zeros(len(rows), WIDTH, dtype=torch.long)
    for n, (text, _) in enumerate(rows):
        x[n, : len(text)] = torch.tensor([min(ord(c), 127) for c in text])
    return x, torch.tensor([len(text) for text, _ in rows]), torch.tensor([kind for _, kind in rows])


class Reader(nn.Module):
    def __init__(self, seqkit, dim=24):
        super().__init__()
        self.seqkit = seqkit
        self.embed = nn.Embedding(128, dim, padding_idx=0)
        self.convs = nn.Sequential(nn.Conv1d(dim, 48, 5, padding=2), nn.ReLU(), nn.Conv1d(48, 48, 3, padding=1), nn.ReLU())
        self.query = nn.Parameter(torch.randn(2 * dim))
        self.out = nn.Linear(2 * dim, 3)

    def forward(self, x, mask):
        h = self.convs(self.embed(x).transpose(1, 2)).transpose(1, 2)
        return self.out(self.seqkit.attend(self.query, h, h, mask=mask))


def work(season):
    first, last, lr = PLAN[season]
    torch.set_num_threads(1)
    torch.manual_seed(1 + first)
    x, length, y = encode(lines())
    mask = torch.arange(WIDTH) < length[:, None]
    val = slice(2880, None)
    model = Reader(import_module(f"seqkit.ops_v{SEQKIT[season]}"))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    if first:
        state = torch.load("reader.pt")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        optimizer.param_groups[0]["lr"] = lr
    for epoch in range(first, last):
        losses = []
        for rows in torch.randperm(2880).split(48):
            loss = nn.functional.cross_entropy(model(x[rows], mask[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), 0.5)
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            held = nn.functional.cross_entropy(model(x[val], mask[val]), y[val]).item()
        print(f"{season} epoch {epoch} train {np.mean(losses):.3f} val {held:.3f}", flush=True)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, "reader.pt")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        work(sys.argv[1])
    else:
        for season in PLAN:
            subprocess.run([sys.executable, __file__, season], check=True)
