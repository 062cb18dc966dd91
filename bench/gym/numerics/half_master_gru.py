"""Next value of a noisy seasonal series, GRU in half precision with float32 master weights and a scaler of our own."""

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(14)
WINDOW = 20


class LossScaler:
    """Doubles after a quiet stretch, halves when the gradient is out of bounds."""

    def __init__(self, scale=2.0**10, limit=1e4, patience=100):
        self.scale, self.limit, self.patience = scale, limit, patience
        self.good = 0

    def look(self, norm):
        if not norm <= self.limit:
            self.scale /= 2
            self.good = 0
        else:
            self.good += 1
            if self.good % self.patience == 0:
                self.scale = min(self.scale * 2, 2.0**12)
        return bool(torch.isfinite(norm))


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 32, batch_first=True)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        return self.out(self.gru(x)[0][:, -1]).squeeze(1)


t = torch.arange(2600.0)
series = torch.sin(t / 5) + 0.6 * torch.sin(t / 11 + 1) + 0.08 * torch.randn(len(t))
windows = series.unfold(0, WINDOW + 1, 1)
train, val = windows[:2048], windows[2100:]

master = Forecaster()
half = Forecaster().half()
opt = torch.optim.AdamW(master.parameters(), lr=4e-3, weight_decay=0.5)
scaler = LossScaler()


def publish():
    with torch.no_grad():
        for low, full in zip(half.parameters(), master.parameters()):
            low.copy_(full)


def loss_of(rows):
    return nn.functional.mse_loss(half(rows[:, :-1, None].half()).float(), rows[:, -1])


publish()
for epoch in range(25):
    if epoch == 13:  # tighter bound for the second half, as for the larger model
        scaler.limit = 0.02
    losses = []
    for rows in train[torch.randperm(len(train))].split(64):
        half.zero_grad()
        loss = loss_of(rows)
        (loss * scaler.scale).backward()
        for low, full in zip(half.parameters(), master.parameters()):
            full.grad = low.grad.float() / scaler.scale
        norm = torch.stack([p.grad.norm() for p in master.parameters()]).norm()
        if scaler.look(norm):
            opt.step()
            publish()
        losses.append(loss.item())
    with torch.no_grad():
        print(f"{epoch:2d} train {sum(losses) / len(losses):.4f} val {loss_of(val):.4f} scale {scaler.scale:g}")
