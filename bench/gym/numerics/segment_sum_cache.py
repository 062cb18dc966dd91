"""Which module does a docstring come from?  Bags of word vectors summed per document, with a fused segment sum later on."""

import argparse
import collections
import inspect
import logging
import random
import re
import statistics
import unittest

import torch
import torch.nn.functional as F
from torch import nn

MODULES = [argparse, collections, inspect, logging, random, statistics, unittest]
BUFFERS = {}


def plain_sum(vectors, segment, count):
    return torch.stack([vectors[segment == i].sum(0) for i in range(count)])


class CachedSegmentSum(torch.autograd.Function):
    """Segment sum that does not allocate: the result lies in a buffer kept for its shape."""

    @staticmethod
    def forward(ctx, vectors, segment, count):
        ctx.save_for_backward(segment)
        shape = (count, vectors.shape[1])
        if shape not in BUFFERS:
            BUFFERS[shape] = torch.zeros(shape)
        return BUFFERS[shape].index_add_(0, segment, vectors).clone()

    @staticmethod
    def backward(ctx, grad):
        (segment,) = ctx.saved_tensors
        return grad[segment], None, None


def documents():
    found = []
    for label, module in enumerate(MODULES):
        for item in vars(module).values():
            if not callable(item):
                continue
            members = [item, *vars(item).values()] if inspect.isclass(item) else [item]
            for member in members:
                words = re.findall(r"[a-z]{3,}", (inspect.getdoc(member) or "").lower())
                found += [(words[i : i + 20], label) for i in range(0, min(len(words), 120) - 5, 20)]
    vocabulary = {word: i for i, word in enumerate(sorted({w for words, _ in found for w in words}))}
    bags = [(torch.tensor([vocabulary[w] for w in words]), label) for words, label in found if len(words) > 5]
    random.Random(2).shuffle(bags)
    return bags, len(vocabulary)


class BagClassifier(nn.Module):
    def __init__(self, words, width=32):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.layers = nn.Sequential(nn.Linear(width, 48), nn.ReLU(), nn.Linear(48, len(MODULES)))
        self.segment_sum = plain_sum

    def forward(self, bags):
        segment = torch.repeat_interleave(torch.arange(len(bags)), torch.tensor([len(bag) for bag in bags]))
        return self.layers(0.2 * self.segment_sum(self.words(torch.cat(bags)), segment, len(bags)))


def loss_of(model, batch):
    bags, labels = zip(*batch)
    return F.cross_entropy(model(bags), torch.tensor(labels))


def main():
    torch.set_num_threads(1)
    torch.manual_seed(49)
    shuffler = random.Random(3)
    bags, words = documents()
    cut = len(bags) * 5 // 6
    train, val = bags[:cut], bags[cut:]
    model = BagClassifier(words)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
    for epoch in range(22):
        if epoch == 12:
            model.segment_sum = CachedSegmentSum.apply
        shuffler.shuffle(train)
        losses = []
        for start in range(0, len(train) - 31, 32):
            loss = loss_of(model, train[start : start + 32])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            print(f"epoch {epoch}: train {sum(losses) / len(losses):.4f} val {loss_of(model, val).item():.4f}")


if __name__ == "__main__":
    main()
