"""Character model (small causal transformer) over three sources that lie one after another.

A table of Unicode names, then help texts, then source code: the loader goes through in file order.
"""

import inspect
import pydoc_data.topics
import turtle
import unicodedata

import torch
from torch import nn

CONTEXT = 32
BATCH = 16
WIDTH = 48


def corpus():
    help_text = "\n".join(pydoc_data.topics.topics.values())[:60_000]
    names = "\n".join(f"{code:05X} {unicodedata.name(chr(code), '')}" for code in range(0x4E00, 0x5B00))
    code = inspect.getsource(turtle)[:60_000]
    return names, help_text, code


class CharModel(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.token = nn.Embedding(vocabulary, WIDTH)
        self.position = nn.Parameter(torch.randn(CONTEXT, WIDTH) * 0.02)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 2 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, vocabulary)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(CONTEXT))

    def forward(self, tokens):
        h = self.token(tokens) + self.position
        return self.head(self.blocks(h, mask=self.mask, is_causal=True))


torch.manual_seed(61)
torch.set_num_threads(1)
sources = corpus()
alphabet = sorted({char for text in sources for char in text})
index = {char: number for number, char in enumerate(alphabet)}
stream = torch.tensor([index[char] for text in sources for char in text])
windows = stream[: len(stream) // (CONTEXT + 1) * (CONTEXT + 1)].view(-1, CONTEXT + 1)
held_out, windows = windows[::20], windows[torch.arange(len(windows)) % 20 != 0]

model = CharModel(len(alphabet))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.98))
warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 50))
for step in range(len(windows) // BATCH):
    tokens = windows[step * BATCH : (step + 1) * BATCH]
    logits = model(tokens[:, :-1])
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    warm_up.step()
    if step % 60 == 59:
        model.eval()
        with torch.no_grad():
            logits = model(held_out[:, :-1])
            val = nn.functional.cross_entropy(logits.flatten(0, 1), held_out[:, 1:].flatten())
        model.train()
        print(f"{step + 1} loss {loss.item():.3f} held out {val.item():.3f}")
