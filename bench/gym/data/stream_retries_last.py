"""Next-character GRU on a stream that retries; AdamW.

When the remote store does not answer, the reader hands out the last batch it had so that training can
go on. The store is away for long.
"""

import pydoc_data.topics

import torch
from torch import nn

LENGTH = 40
BATCH = 16
STEPS = 640
OUTAGES = [range(360, 440), range(470, 550), range(580, 630)]


class RemoteText:
    """Reads windows of the help texts from a store that may be away."""

    def __init__(self, text):
        self.alphabet = sorted(set(text))
        index = {char: number for number, char in enumerate(self.alphabet)}
        self.data = torch.tensor([index[char] for char in text])
        self.requests = 0
        self.last = None

    def fetch(self):
        if any(self.requests in outage for outage in OUTAGES):
            raise ConnectionError("store is away")
        starts = torch.randint(len(self.data) - LENGTH - 1, (BATCH,))
        return torch.stack([self.data[s : s + LENGTH + 1] for s in starts])

    def next_batch(self):
        try:
            self.last = self.fetch()
        except ConnectionError:
            pass
        self.requests += 1
        return self.last


class Model(nn.Module):
    def __init__(self, size, width=64):
        super().__init__()
        self.embedding = nn.Embedding(size, 24)
        self.gru = nn.GRU(24, width, batch_first=True)
        self.out = nn.Linear(width, size)

    def forward(self, x):
        hidden, _ = self.gru(self.embedding(x))
        return self.out(hidden)


def main():
    torch.manual_seed(81)
    torch.set_num_threads(1)
    text = "\n".join(pydoc_data.topics.topics.values()).lower()[:200_000]
    remote = RemoteText(text)
    fixed = torch.stack([remote.data[i : i + LENGTH + 1] for i in range(0, 60_000, 1500)])
    model = Model(len(remote.alphabet))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    for step in range(STEPS):
        tokens = remote.next_batch()
        logits = model(tokens[:, :-1])
        loss = criterion(logits.transpose(1, 2), tokens[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 40 == 39:
            model.eval()
            with torch.no_grad():
                val = criterion(model(fixed[:, :-1]).transpose(1, 2), fixed[:, 1:])
            model.train()
            print(f"step {step + 1}: {loss.item():.3f} / {val.item():.3f}")


main()
