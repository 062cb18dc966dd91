"""Digits read row by row by a small transformer encoder; AdamW first, an optimizer with small state for the polish."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, TensorDataset


class SlimRMSprop(Optimizer):
    """RMSprop that keeps its average in two bytes a weight."""

    def __init__(self, params, lr=1e-3, alpha=0.95, eps=1e-8):
        super().__init__(params, dict(lr=lr, alpha=alpha, eps=eps))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["square"] = (p.grad * p.grad).half()
                average = state["square"].float().lerp(p.grad * p.grad, 1 - group["alpha"])
                state["square"] = average.half()
                p.addcdiv_(p.grad, state["square"].float().sqrt() + group["eps"], value=-group["lr"])


class RowReader(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.project = nn.Linear(8, width)
        self.place = nn.Parameter(0.1 * torch.randn(8, width))
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)

    def forward(self, rows):
        return self.head(self.encoder(self.project(rows) + self.place).mean(1))


def one_epoch(model, loader, optimizer, criterion):
    model.train()
    losses = []
    for rows, label in loader:
        loss = criterion(model(rows), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def validate(model, val, criterion):
    model.eval()
    return criterion(model(val[0]), val[1]).item()


def main():
    torch.set_num_threads(1)
    torch.manual_seed(41)
    digits = load_digits()
    rows, label = torch.tensor(digits.images, dtype=torch.float32) / 16, torch.tensor(digits.target)
    loader = DataLoader(TensorDataset(rows[:1500], label[:1500]), 50, shuffle=True)
    val = rows[1500:], label[1500:]
    model, criterion = RowReader(), nn.CrossEntropyLoss()
    plan = [
        ("adamw", torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-4), 14),
        ("slim", SlimRMSprop(model.parameters(), lr=1e-4), 8),
    ]
    for name, optimizer, epochs in plan:
        for epoch in range(epochs):
            loss = one_epoch(model, loader, optimizer, criterion)
            print(f"{name} {epoch}: train {loss:.4f} val {validate(model, val, criterion):.4f}")


if __name__ == "__main__":
    main()
