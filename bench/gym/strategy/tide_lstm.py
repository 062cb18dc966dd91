"""Tide-like series (generated), LSTM forecaster whose noise level is learned with it; plain SGD."""

import math

import torch
from torch import nn


class TideModel(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)
        self.log_sigma = nn.Parameter(torch.zeros(()))

    def forward(self, past):
        return self.head(self.lstm(past.unsqueeze(-1))[0][:, -1]).squeeze(-1)

    def nll(self, past, future):
        scaled = (future - self(past)) / self.log_sigma.exp()
        return (0.5 * scaled.square() + self.log_sigma).mean()


def make_series(length):
    hour = torch.arange(length, dtype=torch.float32)
    tide = torch.sin(2 * math.pi * hour / 12.42) + 0.4 * torch.sin(2 * math.pi * hour / 25.8 + 0.7)
    return tide + 0.003 * torch.randn(length)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(16)
    windows = make_series(2400).unfold(0, 17, 1)
    train, val = windows[:2000], windows[2050:]
    model = TideModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.006, momentum=0.8)
    for epoch in range(14):
        losses = []
        for rows in torch.randperm(len(train)).split(50):
            batch = train[rows]
            loss = model.nll(batch[:, :-1], batch[:, -1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            checked = model.nll(val[:, :-1], val[:, -1]).item()
        print(f"epoch {epoch}: nll {sum(losses) / len(losses):.4f} val {checked:.4f} sigma {model.log_sigma.exp():.4f}")


main()
