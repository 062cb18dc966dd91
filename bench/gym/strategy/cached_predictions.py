"""Sentiment-like tagging of docstrings: is a sentence of the standard library from os, email, or http?  LSTM, RMSprop."""

import email.message
import functools
import http.client
import http.cookies
import http.server
import os
import re
import shutil
from email import contentmanager, headerregistry, policy, utils
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

TOPICS = [(os, shutil), (email.message, contentmanager, headerregistry, policy, utils), (http.client, http.server, http.cookies)]
LENGTH = 14


def sentences(modules):
    docs = []
    for module in modules:
        for thing in [module, *vars(module).values()]:
            docs.append(getattr(thing, "__doc__", None) or "")
            if isinstance(thing, type):
                docs += [getattr(member, "__doc__", None) or "" for member in vars(thing).values()]
    found = []
    for doc in dict.fromkeys(docs):
        for part in re.split(r"[.\n]\s", doc):
            words = re.findall(r"[a-z]+", part.lower())
            if len(words) >= 4:
                found.append(words[:LENGTH])
    return found


def load():
    pairs = [(words, topic) for topic, modules in enumerate(TOPICS) for words in sentences(modules)[:700]]
    vocabulary = {}
    for words, _ in pairs:
        for word in words:
            vocabulary.setdefault(word, len(vocabulary) + 1)
    ids = torch.zeros(len(pairs), LENGTH, dtype=torch.long)
    for row, (words, _) in enumerate(pairs):
        ids[row, : len(words)] = torch.tensor([vocabulary[word] for word in words])
    return ids, torch.tensor([topic for _, topic in pairs]), len(vocabulary) + 1


class Reader(nn.Module):
    def __init__(self, words):
        super().__init__()
        self.embed = nn.Embedding(words, 24, padding_idx=0)
        self.lstm = nn.LSTM(24, 32, batch_first=True)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(32, 3)

    def forward(self, ids):
        return self.head(self.drop(self.lstm(self.embed(ids))[0].amax(1)))


def main():
    torch.set_num_threads(1)
    torch.manual_seed(12)
    ids, topics, words = load()
    order = torch.randperm(len(ids))
    fit, held = order[: len(ids) * 4 // 5], order[len(ids) * 4 // 5 :]
    model = Reader(words)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    options = SimpleNamespace(epochs=18, batch=32, report_from=8)

    @torch.no_grad()
    def predict(split):
        model.eval()
        return model(ids[held if split == "held" else fit])

    cached = functools.lru_cache(maxsize=4)(predict)  # several metrics share one pass

    def metrics(split, pass_over):
        rows = held if split == "held" else fit
        nll = F.cross_entropy(pass_over(split), topics[rows]).item()
        hits = (pass_over(split).argmax(1) == topics[rows]).float().mean().item()
        return nll, hits

    cached("held")
    for epoch in range(options.epochs):
        model.train()
        running = []
        for rows in fit[torch.randperm(len(fit))].split(options.batch):
            loss = F.cross_entropy(model(ids[rows]), topics[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running.append(loss.item())
        nll, hits = metrics("held", cached if epoch >= options.report_from else predict)
        print(f"epoch {epoch} train {sum(running) / len(running):.4f} val {nll:.4f} ({hits:.1%})")


if __name__ == "__main__":
    main()
