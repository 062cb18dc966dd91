"""Predicts how long a function of the library is from the characters of its signature; padded batches, sum pooling."""
import argparse as ap
import inspect
import math
import pkgutil
import importlib

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

MODULES = "argparse ast asyncio.tasks calendar cgitb collections configparser contextlib copy csv dataclasses difflib dis doctest enum fractions ftplib functools gettext gzip heapq imaplib inspect ipaddress json.decoder locale logging mailbox mimetypes optparse pathlib pickle platform pprint random sched shutil smtplib socket statistics string subprocess tarfile tempfile textwrap threading tokenize trace turtle typing unittest.case uuid zipfile".split()
PAD = 0


def functions():
    for name in MODULES:
        try:
            module = importlib.import_module(name)
        except Exception:
            continue
        owners = [module] + [c for _, c in sorted(inspect.getmembers(module, inspect.isclass)) if c.__module__ == name]
        for owner in owners:
            for fname, f in sorted(inspect.getmembers(owner, inspect.isfunction)):
                if f.__module__ != name:
                    continue
                try:
                    source = inspect.getsource(f)
                except (OSError, TypeError):
                    continue
                yield source, math.log(source.count("\n"))


class Collate:
    def __init__(self, pad_to=None):
        self.pad_to = pad_to

    def __call__(self, items):
        ids = pad_sequence([i for i, _ in items], batch_first=True, padding_value=PAD)
        if self.pad_to:
            ids = nn.functional.pad(ids, (0, self.pad_to - ids.shape[1]), value=PAD)
        return ids, torch.tensor([y for _, y in items])


class Pooler(nn.Module):
    def __init__(self, symbols=129, dim=24):
        super().__init__()
        self.chars = nn.Embedding(symbols, dim)
        nn.init.normal_(self.chars.weight, std=0.05)
        self.read = nn.Sequential(nn.Linear(dim, 32), nn.Tanh(), nn.Linear(32, 1))

    def forward(self, ids):
        pooled = self.chars(ids).sum(1) / ids.shape[1] ** 0.5
        return self.read(pooled).squeeze(1)


def encode(text, limit):
    return torch.tensor([min(ord(c), 127) + 1 for c in text[:limit]])


def main():
    p = ap.ArgumentParser()
    p.add_argument("--epochs", type=int, nargs=2, default=(7, 5))
    p.add_argument("--limits", type=int, nargs=2, default=(64, 64))
    p.add_argument("--pad-to", type=int, nargs=2, default=(None, 768), help="fixed shapes for the compiled model")
    a = p.parse_args()
    torch.manual_seed(12)
    torch.set_num_threads(1)
    rows = sorted(set(functions()))
    order = torch.randperm(len(rows)).tolist()
    rows = [rows[i] for i in order]
    mean = sum(y for _, y in rows) / len(rows)
    cut = len(rows) - 300
    model = Pooler()
    opt = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.5)
    for epochs, limit, pad_to in zip(a.epochs, a.limits, a.pad_to):
        data = [(encode(s, limit), y - mean) for s, y in rows]
        collate = Collate(pad_to)
        loader = DataLoader(data[:cut], batch_size=32, shuffle=True, collate_fn=collate)
        val_loader = DataLoader(data[cut:], batch_size=100, collate_fn=collate)
        for epoch in range(epochs):
            total = 0.0
            for ids, y in loader:
                loss = nn.functional.mse_loss(model(ids), y)
                opt.zero_grad()
                loss.backward()
                opt.step()
                total += loss.item() / len(loader)
            with torch.no_grad():
                val = sum(nn.functional.mse_loss(model(i), y).item() for i, y in val_loader) / len(val_loader)
            print(f"limit {limit} epoch {epoch}: train {total:.4f} val {val:.4f}")


main()
