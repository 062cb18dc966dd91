"""Switch-style mixture of experts on digit images: top-1 routing with capacity and a balance loss on a schedule."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class SwitchLayer(nn.Module):
    def __init__(self, width, hidden, experts, capacity_factor=1.5):
        super().__init__()
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(
            [nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width)) for _ in range(experts)]
        )
        self.capacity_factor = capacity_factor

    def forward(self, x):
        probs = self.router(x).softmax(-1)
        gate, index = probs.max(-1)
        n, e = probs.shape
        capacity = int(self.capacity_factor * n / e)
        out = torch.zeros_like(x)
        for i, expert in enumerate(self.experts):
            rows = (index == i).nonzero().squeeze(1)[:capacity]  # what is over capacity gets no expert
            if len(rows):
                out = out.index_add(0, rows, expert(x[rows]) * gate[rows, None])
        load = F.one_hot(index, e).float().mean(0)
        balance = e * (load * probs.mean(0)).sum()
        return out, balance, load


class Model(nn.Module):
    def __init__(self, width=48, experts=6):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(64, width), nn.LayerNorm(width))
        self.moe = SwitchLayer(width, 64, experts)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        y, balance, load = self.moe(self.stem(x))
        return self.head(self.norm(y)), balance, load


class BalanceSchedule:
    """Balance matters most at the start, and is taken back epoch by epoch."""

    def __init__(self, start=0.10, step=0.01):
        self.start, self.step = start, step

    def __call__(self, epoch):
        return self.start - self.step * epoch


def main(epochs=28, batch=60):
    torch.manual_seed(17)
    torch.set_num_threads(1)
    data = load_digits()
    x, y = torch.tensor(data.data / 8.0 - 1, dtype=torch.float32), torch.tensor(data.target)
    order = torch.randperm(len(y))
    train, val = order[:1500], order[1500:]
    model = Model()
    schedule = BalanceSchedule()
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
    for epoch in range(epochs):
        model.train()
        total, loads = 0.0, []
        for rows in train[torch.randperm(len(train))].split(batch):
            logits, balance, load = model(x[rows])
            task = F.cross_entropy(logits, y[rows])
            opt.zero_grad()
            (task + schedule(epoch) * balance).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            total += task.item() * len(rows)
            loads.append(load)
        model.eval()
        with torch.no_grad():
            v = F.cross_entropy(model(x[val])[0], y[val]).item()
        busiest = torch.stack(loads).mean(0).max().item()
        print(f"epoch {epoch:2d} train {total / len(train):.4f} val {v:.4f} busiest expert {busiest:.2f}")


main()
