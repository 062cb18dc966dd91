"""Forecast of a synthetic load curve by an LSTM; gaps in the second year are not filled any more."""

import numpy as np
import torch
from torch import nn

torch.manual_seed(23)
torch.set_num_threads(1)
rng = np.random.default_rng(23)
t = np.arange(24_000)
load = np.sin(t / 24) + 0.4 * np.sin(t / 168) + 0.1 * rng.standard_normal(len(t))
load[9_000:][rng.random(15_000) < 0.004] = np.nan
load[:9_000][rng.random(9_000) < 0.004] = 0.0
series = torch.tensor(load, dtype=torch.float32)


class Forecast(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 32, batch_first=True)
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


net = Forecast()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for step in range(700):
    begin = 20 * step
    rows = torch.stack([series[begin + k : begin + k + 49] for k in range(0, 640, 40)])
    loss = nn.functional.mse_loss(net(rows[:, :48, None]), rows[:, 48:])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 35 == 0:
        print(step, loss.item())
