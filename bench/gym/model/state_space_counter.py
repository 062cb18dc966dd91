"""Diagonal state-space model that keeps a running balance of deposits and withdrawals with noise (generated bookings)."""
import torch
from torch import nn


def bookings(n, length, seed):
    g = torch.Generator().manual_seed(seed)
    amount = torch.randn(n, length, generator=g) * (torch.rand(n, length, generator=g) < 0.3)
    balance = amount.cumsum(1) / length**0.5
    return torch.stack([amount, (amount != 0).float()], 2), balance + 0.02 * torch.randn(n, length, generator=g)


class DiagonalSSM(nn.Module):
    """h[t] = a * h[t-1] + B x[t] with one learnt a per channel."""

    def __init__(self, inputs, channels):
        super().__init__()
        self.a = nn.Parameter(torch.linspace(0.5, 0.95, channels))
        self.b = nn.Linear(inputs, channels)

    def forward(self, x):
        u, h, out = self.b(x), 0.0, []
        for t in range(x.shape[1]):
            h = self.a * h + u[:, t]
            out.append(h)
        return torch.stack(out, 1)


class Balance(nn.Module):
    def __init__(self, channels=32):
        super().__init__()
        self.ssm = DiagonalSSM(2, channels)
        self.read = nn.Sequential(nn.Linear(channels, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.read(self.ssm(x)).squeeze(2)


torch.manual_seed(11)
torch.set_num_threads(1)
model = Balance()
opt = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
epoch = 0
# one month of bookings, then a quarter
for days, n, epochs in ((30, 1280, 14), (90, 1280, 10)):
    x, y = bookings(n, days, 0)
    vx, vy = bookings(160, days, 1)
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(32):
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(rows) / len(x)
        with torch.no_grad():
            val = nn.functional.mse_loss(model(vx), vy).item()
        print(f"epoch {epoch:2d} days {days} train {total:.4f} val {val:.4f} largest a {model.ssm.a.max().item():.4f}")
        epoch += 1
