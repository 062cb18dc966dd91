"""Next state of a damped pendulum with its own uncertainty: mean and log-variance from one MLP, SGD with momentum."""

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(44)
RATE, EPOCHS, BATCH = 0.0012, 19, 64


def simulate(count):
    angle, speed = (torch.rand(count) - 0.5) * 4, (torch.rand(count) - 0.5) * 4
    start = torch.stack([angle, speed], 1)
    for _ in range(40):
        speed = speed + 0.01 * (-9.8 * angle.sin() - 0.3 * speed)
        angle = angle + 0.01 * speed
    return start, torch.stack([angle, speed], 1) / 2 + 0.01 * torch.randn(count, 2)


class Dynamics(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.mean, self.log_variance = nn.Linear(width, 2), nn.Linear(width, 2)

    def forward(self, state):
        h = self.body(state)
        return self.mean(h), self.log_variance(h)


def nll(output, target):
    mean, log_variance = output
    return 0.5 * (log_variance + (target - mean) ** 2 * torch.exp(-log_variance)).mean()


state, after = simulate(2000)
model = Dynamics()
optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
for epoch in range(EPOCHS):
    total = 0.0
    for rows in torch.randperm(1600).split(BATCH):
        loss = nll(model(state[rows]), after[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows) / 1600
    with torch.no_grad():
        val = nll(model(state[1600:]), after[1600:]).item()
    print(f"epoch {epoch:2d} nll {total:.4f} val {val:.4f}")
