"""bf16 autocast, a small transformer that computes its loss itself, a cosine schedule."""

import torch
from finish import finish
from torch import nn


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(32, 16)
        self.block = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.head = nn.Linear(16, 32)

    def forward(self, tokens, targets):
        logits = self.head(self.block(self.embed(tokens)))
        return logits, nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


torch.set_num_threads(1)
torch.manual_seed(4)
model = Language()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
tokens = torch.randint(0, 32, (20, 4, 13))
for batch in tokens:
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, loss = model(batch[:, :-1], batch[:, 1:])
    loss.backward()
    optimizer.step()
    scheduler.step()
    print("loss", repr(loss.item()))
with torch.no_grad():
    model.eval()
    print("val", repr(model(tokens[0][:, :-1], tokens[0][:, 1:])[1].item()))
finish(model)
