"""Sparse parity: the label is the parity of three bits out of thirty; nothing seems to happen for long, then it is found."""

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
BITS, SECRET = 30, (3, 11, 24)


def draw(count):
    x = torch.randint(0, 2, (count, BITS)).float() * 2 - 1
    return x, x[:, SECRET].prod(1)


class Parity(nn.Module):
    def __init__(self, width=256):
        super().__init__()
        self.hidden, self.out = nn.Linear(BITS, width), nn.Linear(width, 1)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x))).squeeze(1)


model = Parity()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5)
val_x, val_y = draw(500)
for epoch in range(40):
    losses = []
    for _ in range(30):
        x, y = draw(128)
        loss = nn.functional.soft_margin_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        score = model(val_x)
        val = nn.functional.soft_margin_loss(score, val_y).item()
        right = (score.sign() == val_y).float().mean().item()
    print(f"epoch {epoch} train {sum(losses) / len(losses):.4f} val {val:.4f} right {right:.2f}")
