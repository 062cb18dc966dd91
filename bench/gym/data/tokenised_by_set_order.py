"""Character LSTM on a table of Unicode names that separate processes tokenised, Adam with OneCycle.

Each process numbers the characters in the order of a set, and that order differs between processes.
"""

import json
import subprocess
import sys
import unicodedata

import torch
from torch import nn

WINDOW = 32
BATCH = 24
SHARD_CHARACTERS = 40_000
SHARDS_OF_FIRST_PROCESS = 10
SHARDS = 13

TOKENISE = """
import json, sys
text = sys.stdin.read()
vocabulary = {char: number for number, char in enumerate(set(text))}
json.dump([vocabulary[char] for char in text], sys.stdout)
"""


def tokenise(text, seed):
    """Run the tokeniser as the pipeline does: one process per part of the corpus."""
    done = subprocess.run(
        [sys.executable, "-c", TOKENISE],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": str(seed), "PYTHONIOENCODING": "utf-8"},
    )
    return torch.tensor(json.loads(done.stdout))


class CharLstm(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, 24)
        self.lstm = nn.LSTM(24, 64, batch_first=True)
        self.head = nn.Linear(64, vocabulary)

    def forward(self, tokens):
        return self.head(self.lstm(self.embed(tokens))[0])


torch.manual_seed(111)
torch.set_num_threads(1)
names = [unicodedata.name(chr(code), "") for code in range(0x20, 0x3000)]
order = torch.randperm(len(names)).tolist()
text = "\n".join(names[i] for i in order if names[i]) * 2
middle = SHARD_CHARACTERS * SHARDS_OF_FIRST_PROCESS
parts = [tokenise(text[:middle], seed=1), tokenise(text[middle:], seed=2)]
shards = [shard for part in parts for shard in part.split(SHARD_CHARACTERS)][:SHARDS]
vocabulary = int(max(shard.max() for shard in shards)) + 1
windows_per_shard = SHARD_CHARACTERS // (WINDOW + 1)
steps_per_shard = (windows_per_shard - 80) // BATCH
model = CharLstm(vocabulary)
optimizer = torch.optim.Adam(model.parameters())
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=SHARDS * steps_per_shard)
criterion = nn.CrossEntropyLoss()
for number, shard in enumerate(shards):
    windows = shard[: windows_per_shard * (WINDOW + 1)].view(-1, WINDOW + 1)
    windows = windows[torch.randperm(len(windows))]
    train, held_out = windows[80:], windows[:80]
    model.train()
    for step in range(steps_per_shard):
        tokens = train[step * BATCH : (step + 1) * BATCH]
        loss = criterion(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        val = criterion(model(held_out[:, :-1]).flatten(0, 1), held_out[:, 1:].flatten())
    print(f"shard {number}: loss {loss.item():.3f} held out {val.item():.3f}")
