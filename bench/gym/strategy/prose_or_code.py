"""English docstring or Python code?  A character GRU in two rounds, Adagrad with warm-up given as a share of the steps."""

import argparse
import inspect
import textwrap
import tokenize
import unittest.case

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import get_constant_schedule_with_warmup

LENGTH = 20
MODULES = (argparse, textwrap, tokenize, unittest.case, inspect)


def lines():
    prose, code = set(), set()
    for module in MODULES:
        docs = "\n".join(inspect.getdoc(v) or "" for v in vars(module).values() if callable(v))
        prose |= {line.strip() for line in docs.splitlines() if len(line.strip()) > 12}
        code |= {line.strip() for line in inspect.getsource(module).splitlines() if len(line.strip()) > 12}
    code -= prose
    prose, code = sorted(prose), sorted(code)
    return [(line, 0.0) for line in prose] + [(line, 1.0) for line in code[:: max(1, len(code) // len(prose))]]


def encode(pairs):
    ids = torch.zeros(len(pairs), LENGTH, dtype=torch.long)
    for row, (line, _) in enumerate(pairs):
        codes = [min(ord(c), 127) for c in line[:LENGTH]]
        ids[row, : len(codes)] = torch.tensor(codes)
    return TensorDataset(ids, torch.tensor([label for _, label in pairs]))


class CharGRU(nn.Module):
    def __init__(self, width=40):
        super().__init__()
        self.embed = nn.Embedding(128, 16)
        self.gru = nn.GRU(16, width, batch_first=True)
        self.score = nn.Linear(width, 1)

    def forward(self, ids):
        return self.score(self.gru(self.embed(ids))[1][0]).squeeze(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.25)
    parser.add_argument("--warmup", type=float, default=0.3, help="share of the steps of a round")
    parser.add_argument("--epochs", type=int, nargs=2, default=[12, 5])
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(66)
    pairs = lines()
    pairs = [pairs[i] for i in torch.randperm(len(pairs))]
    held, rest = encode(pairs[::6]), encode([pair for i, pair in enumerate(pairs) if i % 6])
    loader = DataLoader(rest, 32, shuffle=True)
    model, criterion = CharGRU(), nn.BCEWithLogitsLoss()
    warmup = args.warmup * len(loader) * args.epochs[0]
    for number, epochs in enumerate(args.epochs):
        optimizer = torch.optim.Adagrad(model.parameters(), lr=args.lr)
        scheduler = get_constant_schedule_with_warmup(optimizer, int(warmup))
        for epoch in range(epochs):
            total = 0.0
            for ids, label in loader:
                optimizer.zero_grad()
                loss = criterion(model(ids), label)
                loss.backward()
                optimizer.step()
                scheduler.step()
                total += loss.item()
            with torch.no_grad():
                val = criterion(model(held.tensors[0]), held.tensors[1]).item()
            print(f"round {number} epoch {epoch}: train {total / len(loader):.4f} val {val:.4f}")
        warmup = args.warmup


if __name__ == "__main__":
    main()
