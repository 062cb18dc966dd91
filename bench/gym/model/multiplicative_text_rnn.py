"""Multiplicative recurrent net (input and state multiply, as in Sutskever et al.) for next characters of `statistics`."""
import inspect
import statistics

import torch
from torch import nn

WINDOW, BATCH, STEPS, EPOCHS = 24, 24, 45, 18


class MultiplicativeRNN(nn.Module):
    def __init__(self, vocab, hidden=64, factors=64):
        super().__init__()
        self.hidden = hidden
        self.emb = nn.Embedding(vocab, 32)
        self.fx = nn.Linear(32, factors)
        self.fh = nn.Linear(hidden, factors, bias=False)
        self.hf = nn.Linear(factors, hidden, bias=False)
        self.hx = nn.Linear(32, hidden)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, ids):
        e = self.emb(ids)
        h = e.new_zeros(len(ids), self.hidden)
        outs = []
        for x in e.unbind(1):
            h = torch.relu(self.hx(x) + self.hf(self.fx(x) * self.fh(h)))
            outs.append(self.out(h))
        return torch.stack(outs, 1)


class Text:
    def __init__(self, source, part):
        self.symbols = sorted(set(source))
        ids = [self.symbols.index(c) for c in source]
        cut = int(part * len(ids))
        self.train, self.val = torch.tensor(ids[:cut]), torch.tensor(ids[cut:])

    @staticmethod
    def batch(ids, n):
        at = torch.randint(0, len(ids) - WINDOW - 1, (n,))
        rows = torch.stack([ids[a : a + WINDOW + 1] for a in at.tolist()])
        return rows[:, :-1], rows[:, 1:]


def loss_of(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x).transpose(1, 2), y)


torch.manual_seed(0)
torch.set_num_threads(1)
text = Text(inspect.getsource(statistics), 0.9)
model = MultiplicativeRNN(len(text.symbols))
opt = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
for epoch in range(EPOCHS):
    mean = 0.0
    for _ in range(STEPS):
        loss = loss_of(model, text.batch(text.train, BATCH))
        opt.zero_grad()
        loss.backward()
        opt.step()
        mean += loss.item() / STEPS
    with torch.no_grad():
        val = loss_of(model, text.batch(text.val, 100)).item()
    print(f"{epoch:2d} | train {mean:.3f} | val {val:.3f}")
