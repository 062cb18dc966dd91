"""Next character of docstrings with a GRU, four snippets per step."""

import site

import torch
from torch import nn

torch.manual_seed(10)
torch.set_num_threads(1)
text = (site.__doc__ + torch.optim.Adam.__doc__ + torch.nn.GRU.__doc__ + torch.nn.Transformer.__doc__) * 2
letters = sorted(set(text))
codes = torch.tensor([letters.index(char) for char in text])


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(letters), 24)
        self.gru = nn.GRU(24, 64, batch_first=True)
        self.out = nn.Linear(64, len(letters))

    def forward(self, x):
        return self.out(self.gru(self.embed(x))[0])


reader = Reader()
optimizer = torch.optim.RMSprop(reader.parameters(), lr=2e-3)
for step in range(900):
    starts = torch.randint(len(codes) - 26, (4,))
    window = torch.stack([codes[s : s + 26] for s in starts.tolist()])
    loss = nn.functional.cross_entropy(reader(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
    optimizer.step()
    if step % 60 == 0:
        print(f"{step}: {loss.item():.3f}")
