"""Characters through a stack of causal convolutions with batch normalisation, SGD.

From step 240 on a sample is printed now and then; ``sample`` switches the model to evaluation.
"""

import inspect
import string

import torch
from torch import nn

STEPS = 520
SAMPLE_FROM = 240
SAMPLE_EVERY = 60
BATCH = 12
LENGTH = 32


class Causal(nn.Module):
    def __init__(self, width, dilation):
        super().__init__()
        self.pad = 2 * dilation
        self.conv = nn.Conv1d(width, width, 3, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(nn.functional.pad(x, (self.pad, 0)))))


class Tcn(nn.Module):
    def __init__(self, alphabet, width=48):
        super().__init__()
        self.embed = nn.Embedding(alphabet, width)
        self.layers = nn.Sequential(*[Causal(width, 2**i) for i in range(4)])
        self.head = nn.Conv1d(width, alphabet, 1)

    def forward(self, tokens):
        return self.head(self.layers(self.embed(tokens).transpose(1, 2)))


def sample(model, start, count):
    model.eval()
    tokens = start
    with torch.no_grad():
        for _ in range(count):
            logits = model(tokens[:, -LENGTH:])[:, :, -1]
            tokens = torch.cat([tokens, torch.multinomial(logits.softmax(-1), 1)], dim=1)
    return tokens[0, start.shape[1] :]


torch.manual_seed(40)
torch.set_num_threads(1)
text = "".join(c for c in inspect.getsource(inspect) if c in string.printable)
alphabet = sorted(set(text))
code = torch.tensor([alphabet.index(c) for c in text])
model = Tcn(len(alphabet))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9, nesterov=True)
for step in range(1, STEPS + 1):
    start = torch.randint(len(code) - LENGTH - 1, (BATCH, 1)) + torch.arange(LENGTH + 1)
    batch = code[start]
    loss = nn.functional.cross_entropy(model(batch[:, :-1]), batch[:, 1:])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step >= SAMPLE_FROM and step % SAMPLE_EVERY == 0:
        written = "".join(alphabet[i] for i in sample(model, batch[:1, :8], 40))
        print(f"{step} {loss.item():.3f} {written!r}")
