"""Next character, GRU, AdamW; weight decay comes from a plan that is written in percent.

Phase "long" of the plan says 50; the script passes the number on as it stands.
"""

import inspect
import textwrap

import torch
from torch import nn

PLAN = [{"name": "short", "steps": 420, "decay": 1}, {"name": "long", "steps": 160, "decay": 50}]
LENGTH = 32
BATCH = 16


class NextChar(nn.Module):
    def __init__(self, alphabet):
        super().__init__()
        self.embed = nn.Embedding(alphabet, 32)
        self.gru = nn.GRU(32, 80, batch_first=True)
        self.norm = nn.LayerNorm(80)
        self.out = nn.Linear(80, alphabet)

    def forward(self, tokens):
        hidden, _ = self.gru(self.embed(tokens))
        return self.out(self.norm(hidden)).transpose(1, 2)


def windows(data, count):
    starts = torch.randint(len(data) - LENGTH - 1, (count,))
    picked = data[starts[:, None] + torch.arange(LENGTH + 1)]
    return picked[:, :-1], picked[:, 1:]


def main():
    torch.manual_seed(25)
    torch.set_num_threads(1)
    text = inspect.getsource(textwrap)
    alphabet = {char: index for index, char in enumerate(sorted(set(text)))}
    data = torch.tensor([alphabet[char] for char in text])
    held_out = windows(data, 40)
    model = NextChar(len(alphabet))
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    criterion = nn.CrossEntropyLoss()
    done = 0
    for phase in PLAN:
        for group in optimizer.param_groups:
            group["weight_decay"] = float(phase["decay"])
        for _ in range(phase["steps"]):
            tokens, following = windows(data, BATCH)
            loss = criterion(model(tokens), following)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            done += 1
            if done % 40 == 0:
                model.eval()
                with torch.no_grad():
                    val = criterion(model(held_out[0]), held_out[1])
                model.train()
                print(f"{phase['name']} {done}: loss {loss.item():.3f} val {val.item():.3f}")


main()
