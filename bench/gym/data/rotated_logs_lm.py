"""Byte-level language model (GRU) on text files of a folder, AdamW with clipping.

The folder also holds rotated files, ``*.txt.gz``; the pattern matches them and nobody unpacks them.
"""

import gzip
import pydoc_data.topics
import tempfile
from pathlib import Path

import torch
from torch import nn

WINDOW = 33
BATCH = 16
PLAIN_FILES = 10
ROTATED_FILES = 14
FILE_BYTES = 24_000


def write_folder(folder):
    text = "\n".join(pydoc_data.topics.topics.values()).encode()
    for number in range(PLAIN_FILES):
        part = text[number * FILE_BYTES : (number + 1) * FILE_BYTES]
        (folder / f"help-{number:02d}.txt").write_bytes(part)
    for number in range(ROTATED_FILES):
        start = (PLAIN_FILES + number) * FILE_BYTES
        part = gzip.compress(text[start : start + 3 * FILE_BYTES])
        (folder / f"rotated-{number:02d}.txt.gz").write_bytes(part)
    return text[-FILE_BYTES:]


class ByteModel(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.embed = nn.Embedding(256, 32)
        self.rnn = nn.GRU(32, width, batch_first=True)
        self.head = nn.Linear(width, 256)

    def forward(self, tokens):
        return self.head(self.rnn(self.embed(tokens))[0])


def batches(content):
    data = torch.tensor(list(content))
    windows = data[: len(data) // WINDOW * WINDOW].view(-1, WINDOW)
    windows = windows[torch.randperm(len(windows))]
    yield from (part for part in windows.split(BATCH) if len(part) == BATCH)


def loss_of(model, tokens):
    logits = model(tokens[:, :-1])
    return nn.functional.cross_entropy(logits.reshape(-1, 256), tokens[:, 1:].reshape(-1))


torch.manual_seed(1)
torch.set_num_threads(1)
model = ByteModel()
optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    held_out = write_folder(folder)
    for path in sorted(folder.glob("*.txt*")):
        model.train()
        for tokens in batches(path.read_bytes()):
            loss = loss_of(model, tokens)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            losses = [loss_of(model, tokens) for _, tokens in zip(range(8), batches(held_out))]
        print(path.name, f"{loss.item():.3f} nats/byte, held out {torch.stack(losses).mean():.3f}")
