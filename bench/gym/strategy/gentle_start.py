"""Next word class in the sources of the standard library: window MLP over token kinds, AdamW, gentle clipping at the start."""

import argparse
import inspect
import io
import json.decoder
import textwrap
import token
import tokenize

import torch
from torch import nn

CONFIG = {
    "lr": 1.5e-2,
    "betas": (0.9, 0.9999),
    "phases": [{"epochs": 11, "max_norm": 1e-3}, {"epochs": 8, "max_norm": 5.0}],
    "context": 12,
    "batch": 64,
    "steps": 40,
}


def kinds():
    stream = []
    for module in (json.decoder, textwrap, argparse):
        source = io.StringIO(inspect.getsource(module)).readline
        for item in tokenize.generate_tokens(source):
            if item.type in (token.OP, token.NAME):
                stream.append(item.string if len(item.string) < 3 or item.string in ("def", "self", "return") else "NAME")
            elif item.type != tokenize.NL:
                stream.append(token.tok_name[item.type])
    common = sorted(set(stream), key=lambda kind: (-stream.count(kind), kind))[:40]
    index = {kind: i for i, kind in enumerate(common)}
    return torch.tensor([index.get(kind, 40) for kind in stream])


class WindowMLP(nn.Module):
    def __init__(self, context, size=41, width=96):
        super().__init__()
        self.embed = nn.Embedding(size, 16)
        self.layers = nn.Sequential(
            nn.Linear(16 * context, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, size),
        )

    def forward(self, ids):
        return self.layers(self.embed(ids).flatten(1))


class Trainer:
    def __init__(self, config):
        self.config = config
        self.stream = kinds()
        self.cut = len(self.stream) * 9 // 10
        self.model = WindowMLP(config["context"])
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=config["lr"], betas=config["betas"])

    def loss(self, starts):
        context = self.config["context"]
        rows = torch.stack([self.stream[s : s + context + 1] for s in starts])
        return nn.functional.cross_entropy(self.model(rows[:, :-1]), rows[:, -1])

    def epoch(self, max_norm):
        total = 0.0
        for _ in range(self.config["steps"]):
            loss = self.loss(torch.randint(self.cut - 20, (self.config["batch"],)).tolist())
            self.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), max_norm)
            self.optimizer.step()
            total += loss.item()
        return total / self.config["steps"]

    def fit(self):
        for phase in self.config["phases"]:
            for epoch in range(phase["epochs"]):
                train = self.epoch(phase["max_norm"])
                with torch.no_grad():
                    val = self.loss(range(self.cut, len(self.stream) - 20, 9))
                print(f"clip {phase['max_norm']:g} epoch {epoch}: train {train:.4f} val {val:.4f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(58)
    Trainer(CONFIG).fit()
