"""Which module of the standard library does a line come from?  Embedding bag and head with an optimizer each.

The embedding is fixed for the first epochs and trained with a rate of its own afterwards.
"""

import argparse
import inspect
import json
import random
import statistics
import textwrap
import zlib

import torch
import torch.nn.functional as F
from torch import nn

MODULES = [argparse, json.decoder, random, statistics, textwrap, inspect]
BUCKETS = 2048


def trigrams(line):
    return [zlib.crc32(line[i : i + 3].encode()) % BUCKETS for i in range(max(1, len(line) - 2))]


def read():
    rows = []
    for label, module in enumerate(MODULES):
        lines = [line.strip() for line in inspect.getsource(module).splitlines() if len(line.strip()) > 20]
        rows += [(trigrams(line), label) for line in lines[:400]]
    random.Random(5).shuffle(rows)
    cut = len(rows) * 4 // 5
    return rows[:cut], rows[cut:]


def collate(rows):
    bags = [torch.tensor(ids) for ids, _ in rows]
    offsets = torch.tensor([0] + [len(bag) for bag in bags[:-1]]).cumsum(0)
    return torch.cat(bags), offsets, torch.tensor([label for _, label in rows])


class LineModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.EmbeddingBag(BUCKETS, 48, mode="sum")
        self.head = nn.Sequential(nn.Linear(48, 96), nn.GELU(), nn.Linear(96, len(MODULES)))

    def forward(self, ids, offsets):
        bag = self.embed(ids, offsets) * 0.2
        with torch.autocast("cpu", dtype=torch.float16):
            return self.head(bag)


def main(unfreeze=12, epochs=26, batch=48):
    torch.set_num_threads(1)
    torch.manual_seed(9)
    shuffler = random.Random(1)
    train, val = read()
    model = LineModel()
    head_opt = torch.optim.AdamW(model.head.parameters(), lr=5e-3, weight_decay=0.02)
    embed_opt = torch.optim.SGD(model.embed.parameters(), lr=0.5, weight_decay=2e-2)
    optimizers = [head_opt]
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16, growth_interval=100)
    for epoch in range(epochs):
        if epoch == unfreeze:
            optimizers.append(embed_opt)
        shuffler.shuffle(train)
        total = 0.0
        for start in range(0, len(train), batch):
            ids, offsets, labels = collate(train[start : start + batch])
            model.zero_grad()
            loss = F.cross_entropy(model(ids, offsets).float(), labels)
            scaler.scale(loss).backward()
            scaler.unscale_(head_opt)
            trained = [p for opt in optimizers for group in opt.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(trained, 1.0)
            for opt in optimizers:
                scaler.step(opt)
            scaler.update()
            total += loss.item() * len(labels)
        with torch.no_grad():
            ids, offsets, labels = collate(val)
            val_loss = F.cross_entropy(model(ids, offsets).float(), labels).item()
        print(f"{epoch:2d} train {total / len(train):.4f} val {val_loss:.4f} scale {scaler.get_scale():.0f}")


if __name__ == "__main__":
    main()
