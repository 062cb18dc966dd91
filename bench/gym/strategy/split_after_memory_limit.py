"""Character model (LSTM), SGD; a batch that is too big for the memory limit is cut into pieces.

Long sequences begin at step 300; from then on every batch is cut into 4, and the pieces' gradients
add up as if each were a batch.
"""

import pydoc_data.topics

import torch
from torch import nn

STEPS = 460
LONG_FROM = 300
BATCH = 32
MEMORY_LIMIT = 32 * 24  # characters in one piece


class Lstm(nn.Module):
    def __init__(self, alphabet, width=64):
        super().__init__()
        self.embed = nn.Embedding(alphabet, 32)
        self.lstm = nn.LSTM(32, width, batch_first=True)
        self.head = nn.Linear(width, alphabet)

    def forward(self, x):
        return self.head(self.lstm(self.embed(x))[0]).transpose(1, 2)


class Trainer:
    def __init__(self, text):
        characters = sorted(set(text))
        index = {char: number for number, char in enumerate(characters)}
        self.data = torch.tensor([index[char] for char in text])
        self.model = Lstm(len(characters))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1.0)
        self.criterion = nn.CrossEntropyLoss()

    def batch(self, length):
        starts = torch.randint(len(self.data) - length - 1, (BATCH, 1))
        rows = self.data[starts + torch.arange(length + 1)]
        return rows[:, :-1], rows[:, 1:]

    def step(self, length):
        tokens, following = self.batch(length)
        rows = max(1, MEMORY_LIMIT // length)
        pieces = list(zip(tokens.split(rows), following.split(rows)))
        self.optimizer.zero_grad()
        for piece, target in pieces:
            loss = self.criterion(self.model(piece), target)
            loss.backward()
        self.optimizer.step()
        return loss.item(), len(pieces)


torch.manual_seed(50)
torch.set_num_threads(1)
trainer = Trainer("\n".join(pydoc_data.topics.topics.values()).lower()[:150_000])
for step in range(STEPS):
    loss, pieces = trainer.step(24 if step < LONG_FROM else 96)
    if step % 20 == 0:
        print(f"step {step}: {loss:.3f} in {pieces} piece(s)")
