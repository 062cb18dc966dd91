"""Next character, GRU; targets beyond the end of a line are ignored."""

import pydoc_data.topics
import torch
from torch import nn

torch.manual_seed(5)
torch.set_num_threads(1)
text = "\n".join(pydoc_data.topics.topics.values())[:120_000]
chars = sorted(set(text))
lookup = {c: i for i, c in enumerate(chars)}
lines = [line for line in text.split("\n") if len(line) > 8]
LENGTH = 40


def encode(line):
    ids = [lookup[c] for c in line[: LENGTH + 1]]
    fill = LENGTH + 1 - len(ids)
    return ids[:-1] + [0] * fill, ids[1:] + [-100] * fill


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(len(chars), 32)
        self.g = nn.GRU(32, 96, batch_first=True)
        self.o = nn.Linear(96, len(chars))

    def forward(self, t):
        return self.o(self.g(self.e(t))[0])


net = Net()
opt = torch.optim.RMSprop(net.parameters(), lr=2e-3)
blank = [""] * 16
for step in range(700):
    if step == 430:
        lines = lines[:2000] + [" "] * 40000  # the second dump has mostly blank lines
    batch = [encode(lines[int(i)]) for i in torch.randint(len(lines), (12,))]
    tokens = torch.tensor([b[0] for b in batch])
    targets = torch.tensor([b[1] for b in batch])
    loss = nn.functional.cross_entropy(net(tokens).transpose(1, 2), targets, ignore_index=-100)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 35 == 0:
        print(step, loss.item())
