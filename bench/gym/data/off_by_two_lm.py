"""Next-character transformer; the window is sliced by a helper that changes with the context length."""

import inspect
import tokenize

import torch
from torch import nn

torch.manual_seed(21)
torch.set_num_threads(1)
text = inspect.getsource(tokenize)
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])


def pair(length):
    start = torch.randint(len(ids) - 80, (16, 1))
    window = ids[start + torch.arange(length + 2)]
    if length == 32:
        return window[:, :-2], window[:, 1:-1]
    return window[:, :-2], window[:, 2:]


class Net(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        self.tok, self.pos = nn.Embedding(len(chars), d), nn.Embedding(64, d)
        layer = nn.TransformerEncoderLayer(d, 4, 96, dropout=0.0, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(d, len(chars))

    def forward(self, t):
        n = t.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(n)
        return self.out(self.enc(self.tok(t) + self.pos(torch.arange(n)), mask=mask))


net = Net()
opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
for step in range(750):
    x, y = pair(32 if step < 480 else 33)
    loss = nn.functional.cross_entropy(net(x).transpose(1, 2), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 30 == 0:
        print(step, round(loss.item(), 3))
