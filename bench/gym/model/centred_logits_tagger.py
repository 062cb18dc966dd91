"""Tags tokens of Python sources by kind with a bidirectional LSTM; from the second half on logits are centred by a running mean, as in DINO."""
import inspect
import io
import optparse
import token
import tokenize

import torch
from torch import nn

KINDS = [token.NAME, token.OP, token.NUMBER, token.STRING, token.NEWLINE, token.COMMENT, token.NL]


def corpus():
    """Characters, and for every character the kind of the token it belongs to (0: none)."""
    source = inspect.getsource(optparse)
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    tags = [0] * len(source)
    for t in tokenize.generate_tokens(io.StringIO(source).readline):
        if t.type in KINDS:
            a, b = starts[t.start[0] - 1] + t.start[1], starts[t.end[0] - 1] + t.end[1]
            for i in range(a, min(b, len(source))):
                tags[i] = KINDS.index(t.type) + 1
    return torch.tensor([min(ord(c), 127) for c in source]), torch.tensor(tags)


class RunningCentre(nn.Module):
    def __init__(self, classes, momentum=0.95):
        super().__init__()
        self.momentum = momentum
        self.active = False
        self.register_buffer("centre", torch.zeros(classes))

    def forward(self, logits):
        if not self.active:
            return logits
        centred = logits - self.centre
        if self.training:
            mean = centred.detach().flatten(0, 1).mean(0)
            self.centre.lerp_(self.centre - mean, 1 - self.momentum)
        return centred


class Tagger(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.embed = nn.Embedding(128, 24)
        self.lstm = nn.LSTM(24, hidden, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * hidden, len(KINDS) + 1)
        self.centre = RunningCentre(len(KINDS) + 1)

    def forward(self, ids):
        return self.centre(self.out(self.lstm(self.embed(ids))[0]))


def windows(ids, tags, starts, length=48):
    at = starts[:, None] + torch.arange(length)
    return ids[at], tags[at]


def main():
    torch.manual_seed(53)
    torch.set_num_threads(1)
    ids, tags = corpus()
    cut = int(0.85 * len(ids))
    model = Tagger()
    opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    ce = nn.CrossEntropyLoss()
    for epoch in range(18):
        model.train()
        model.centre.active = epoch >= 9
        total = 0.0
        for _ in range(40):
            x, y = windows(ids, tags, torch.randint(0, cut - 48, (16,)))
            loss = ce(model(x).transpose(1, 2), y)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), 1.0)
            opt.step()
            total += loss.item() / 40
        model.eval()
        with torch.no_grad():
            x, y = windows(ids, tags, torch.arange(cut, len(ids) - 48, 48))
            val = ce(model(x).transpose(1, 2), y).item()
        print(f"epoch {epoch:2d} train {total:.4f} val {val:.4f}")


main()
