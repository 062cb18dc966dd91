"""Small transformer on help texts; the loss goes up a little while the rate warms up to its peak."""

import pydoc_data.topics

import torch
from torch import nn

CONTEXT, WIDTH = 24, 32
torch.manual_seed(29)
torch.set_num_threads(1)
text = "".join(pydoc_data.topics.topics.values())[:80_000]
letters = sorted(set(text))
stream = torch.tensor([letters.index(char) for char in text])


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(len(letters), WIDTH)
        self.place = nn.Embedding(CONTEXT, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 2, 64, dropout=0.1, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(WIDTH, len(letters))
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(CONTEXT))

    def forward(self, x):
        h = self.token(x) + self.place(torch.arange(CONTEXT))
        return self.head(self.blocks(h, mask=self.mask, is_causal=True))


model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.2e-2, total_steps=600, pct_start=0.35)
for step in range(600):
    starts = torch.randint(len(stream) - CONTEXT - 1, (12,))
    window = torch.stack([stream[s : s + CONTEXT + 1] for s in starts.tolist()])
    loss = nn.functional.cross_entropy(model(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    if step % 40 == 0:
        print(f"{step} loss {loss.item():.3f} lr {schedule.get_last_lr()[0]:.4f}")
