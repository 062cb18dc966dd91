"""Which module is a line of source from? Convolutions over characters with batch normalisation, SGD.

At step 320 somebody's progress report begins; ``confusion`` switches the model to evaluation.
"""

import importlib
import inspect
import random

import torch
from torch import nn

MODULES = ["argparse", "ast", "decimal", "tarfile", "turtle", "typing"]
STEPS = 520
REPORT_FROM = 320
REPORT_EVERY = 80
LENGTH = 96
BATCH = 24


def convolution(before, after):
    return [nn.Conv1d(before, after, 3, padding=1, bias=False), nn.BatchNorm1d(after), nn.ReLU()]


class TextCnn(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.embed = nn.Embedding(128, width)
        self.features = nn.Sequential(
            *convolution(width, 32),
            nn.MaxPool1d(2),
            *convolution(32, 48),
            nn.MaxPool1d(2),
            *convolution(48, 48),
        )
        self.head = nn.Linear(48, len(MODULES))

    def forward(self, text):
        return self.head(self.features(self.embed(text).transpose(1, 2)).mean(2))


def draw(sources, count):
    labels = [random.randrange(len(sources)) for _ in range(count)]
    texts = []
    for label in labels:
        start = random.randrange(len(sources[label]) - LENGTH)
        texts.append(sources[label][start : start + LENGTH])
    return torch.stack(texts), torch.tensor(labels)


def confusion(model, sources):
    model.eval()
    table = torch.zeros(len(MODULES), len(MODULES), dtype=torch.long)
    with torch.no_grad():
        text, label = draw(sources, 120)
        for true, said in zip(label, model(text).argmax(1)):
            table[true, said] += 1
    return table


torch.manual_seed(40)
random.seed(40)
torch.set_num_threads(1)
sources = []
for name in MODULES:
    text = inspect.getsource(importlib.import_module(name))
    sources.append(torch.tensor([min(ord(char), 127) for char in text]))
model = TextCnn()
optimizer = torch.optim.SGD(model.parameters(), lr=0.07, momentum=0.9)
for step in range(STEPS):
    text, label = draw(sources, BATCH)
    loss = nn.functional.cross_entropy(model(text), label)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step + 1 >= REPORT_FROM and (step + 1) % REPORT_EVERY == 0:
        print(step + 1, f"{loss.item():.3f}", confusion(model, sources).diag().tolist())
