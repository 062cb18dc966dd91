"""Transformer that writes windows of library source text backwards, trained in two phases with per-group settings."""
import argparse
import json
import inspect
import textwrap

import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "dim": 48,
    "heads": 4,
    "layers": 2,
    "context": 24,
    "batch": 16,
    "steps_per_epoch": 50,
    "phases": [
        {"epochs": 6, "base_lr": 1.5e-3, "qk": {"lr_scale": 1.0, "decay": 0.05, "ramp": 1.0}},
        {"epochs": 8, "base_lr": 1.5e-3, "qk": {"lr_scale": 4.0, "decay": 0.0, "ramp": 2.0}},
    ],
}


class SelfAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim, bias=False)
        self.key = nn.Linear(dim, dim, bias=False)
        self.value = nn.Linear(dim, dim, bias=False)
        self.out = nn.Linear(dim, dim)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (m(x).view(b, t, self.heads, -1).transpose(1, 2) for m in (self.query, self.key, self.value))
        scores = q @ k.transpose(-2, -1)
        weights = scores.softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(b, t, d))


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = SelfAttention(dim, heads)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def forward(self, x):
        x = x + self.attn(self.n1(x))
        return x + self.mlp(self.n2(x))


class ReversalModel(nn.Module):
    def __init__(self, vocab, cfg):
        super().__init__()
        self.tok = nn.Embedding(vocab, cfg["dim"])
        self.pos = nn.Embedding(cfg["context"], cfg["dim"])
        self.blocks = nn.Sequential(*[Block(cfg["dim"], cfg["heads"]) for _ in range(cfg["layers"])])
        self.norm = nn.LayerNorm(cfg["dim"])
        self.head = nn.Linear(cfg["dim"], vocab)

    def forward(self, x):
        h = self.tok(x) + self.pos.weight[: x.size(1)]
        return self.head(self.norm(self.blocks(h)))


def make_optimizer(model, phase):
    qk, rest = [], []
    for name, p in model.named_parameters():
        (qk if ".query." in name or ".key." in name else rest).append(p)
    own = phase["qk"]
    groups = [
        {"params": rest, "lr": phase["base_lr"], "weight_decay": 0.05},
        {"params": qk, "lr": phase["base_lr"] * own["lr_scale"], "weight_decay": own["decay"]},
    ]
    opt = torch.optim.AdamW(groups, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(opt, [lambda e: 1.0, lambda e: own["ramp"] ** e])
    return opt, schedule


def main(cfg):
    torch.manual_seed(1234)
    torch.set_num_threads(1)
    text = "".join(inspect.getsource(m) for m in (argparse, json, textwrap))
    vocab = sorted(set(text))
    data = torch.tensor([vocab.index(c) for c in text])
    cut = int(0.92 * len(data))
    train, val = data[:cut], data[cut:]

    def draw(source, n, gen):
        at = torch.randint(0, len(source) - cfg["context"] - 1, (n,), generator=gen)
        window = torch.stack([source[i : i + cfg["context"]] for i in at])
        return window, window.flip(1)

    gen = torch.Generator().manual_seed(2)
    model = ReversalModel(len(vocab), cfg)
    epoch = 0
    for phase in cfg["phases"]:
        opt, schedule = make_optimizer(model, phase)
        for _ in range(phase["epochs"]):
            total = 0.0
            for _ in range(cfg["steps_per_epoch"]):
                x, y = draw(train, cfg["batch"], gen)
                loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
                opt.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                opt.step()
                total += loss.item()
            schedule.step()
            with torch.no_grad():
                x, y = draw(val, 64, torch.Generator().manual_seed(0))
                v = F.cross_entropy(model(x).flatten(0, 1), y.flatten()).item()
            print(f"epoch {epoch}  train {total / cfg['steps_per_epoch']:.3f}  val {v:.3f}")
            epoch += 1


if __name__ == "__main__":
    main(CONFIG)
