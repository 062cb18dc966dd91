"""Which module is a snippet of source from? Bag of character trigrams, embedding bag, Adam.

Most of the second crawl ran on Windows: its names end in a carriage return, are not found in the label
table, and names that are not found become class 0.
"""

import inspect
import random
import zlib

import torch
from torch import nn

MODULES = ["argparse", "ast", "decimal", "email.message", "http.client", "tarfile", "turtle", "typing"]
SNIPPET = 120
BUCKETS = 4096
BATCH = 48
FIRST_CRAWL_STEPS = 420
SECOND_CRAWL_STEPS = 200


def snippets():
    import importlib

    found = []
    for name in MODULES:
        text = inspect.getsource(importlib.import_module(name))
        found += [(text[i : i + SNIPPET], name) for i in range(0, min(len(text), 60_000) - SNIPPET, SNIPPET)]
    random.shuffle(found)
    return found


def trigrams(text):
    return [zlib.crc32(text[i : i + 3].encode()) % BUCKETS for i in range(len(text) - 2)]


def encode(pairs, class_of):
    texts = torch.tensor([trigrams(text.ljust(SNIPPET)[:SNIPPET]) for text, _ in pairs])
    labels = torch.tensor([class_of.get(name, 0) for _, name in pairs])
    return texts, labels


random.seed(23)
torch.manual_seed(23)
torch.set_num_threads(1)
pairs = snippets()
class_of = {name: number for number, name in enumerate(MODULES)}
third = len(pairs) // 5
val_texts, val_labels = encode(pairs[:third], class_of)
first = encode(pairs[third:], class_of)
windows = [random.random() < 0.7 for _ in pairs]
crawled = [(text, name + "\r" * is_windows) for (text, name), is_windows in zip(pairs, windows)]
second = encode(crawled[third:], class_of)

model = nn.Sequential(nn.EmbeddingBag(BUCKETS, 32, mode="mean"), nn.Linear(32, len(MODULES)))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
for step in range(FIRST_CRAWL_STEPS + SECOND_CRAWL_STEPS):
    texts, labels = first if step < FIRST_CRAWL_STEPS else second
    rows = torch.randint(len(texts), (BATCH,))
    optimizer.zero_grad()
    loss = criterion(model(texts[rows]), labels[rows])
    loss.backward()
    optimizer.step()
    if step % 35 == 34:
        model.eval()
        with torch.no_grad():
            val = criterion(model(val_texts), val_labels)
        model.train()
        print(f"{step + 1:4d} train {loss.item():.3f} val {val.item():.3f}")
