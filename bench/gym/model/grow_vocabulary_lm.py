"""Word-level language model on module docs; the vocabulary is grown when the second part of the corpus arrives."""
import inspect
import re
import statistics
import fractions
import heapq
import random
import bisect

import torch
from torch import nn

torch.use_deterministic_algorithms(True)
torch.set_num_threads(1)


class Vocabulary:
    def __init__(self):
        self.index = {"<unk>": 0}

    def extend(self, words):
        for w in words:
            self.index.setdefault(w, len(self.index))

    def encode(self, words):
        return torch.tensor([self.index.get(w, 0) for w in words])

    def __len__(self):
        return len(self.index)


class WordLM(nn.Module):
    def __init__(self, size, dim=40, hidden=64):
        super().__init__()
        self.embed = nn.Embedding(size, dim)
        self.rnn = nn.LSTM(dim, hidden, batch_first=True)
        self.out = nn.Linear(hidden, size)

    def forward(self, x):
        return self.out(self.rnn(self.embed(x))[0])

    @torch.no_grad()
    def grow(self, size):
        """Make room for new words; what was learnt is kept."""
        old_e, old_o = self.embed.weight, self.out
        n = len(old_e)
        weight = torch.empty(size, old_e.shape[1])
        weight[:n] = old_e
        self.embed = nn.Embedding.from_pretrained(weight, freeze=False)
        self.out = nn.Linear(old_o.in_features, size)
        self.out.weight[:n] = old_o.weight
        self.out.bias[:n] = old_o.bias


def words_of(*modules):
    text = "\n".join(inspect.getsource(m) for m in modules)
    return re.findall(r"\w+|[^\w\s]", text)


def epoch(model, opt, ids, batch=12, length=16, steps=45):
    total = 0.0
    for _ in range(steps):
        at = torch.randint(0, len(ids) - length - 1, (batch,))
        block = torch.stack([ids[i : i + length + 1] for i in at])
        logits = model(block[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), block[:, 1:].flatten())
        if opt is not None:
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
        total += loss.item()
    return total / steps


def split(words):
    cut = int(0.9 * len(words))
    return words[:cut], words[cut:]


def main():
    torch.manual_seed(4)
    first_train, first_val = split(words_of(statistics, fractions))
    second_train, second_val = split(words_of(heapq, random, bisect))
    vocab = Vocabulary()
    vocab.extend(first_train)
    model = WordLM(len(vocab))
    train, val = first_train, first_val
    opt = torch.optim.Adam(model.parameters(), lr=4e-3)
    for e in range(14):
        if e == 8:
            train, val = first_train + second_train, first_val + second_val
            vocab.extend(second_train)
            model.grow(len(vocab))
            opt = torch.optim.Adam(model.parameters(), lr=2e-3)
        tr = epoch(model, opt, vocab.encode(train))
        with torch.no_grad():
            va = epoch(model, None, vocab.encode(val), steps=10)
        print(f"epoch {e:2d} words {len(vocab)} train {tr:.3f} val {va:.3f}")


main()
