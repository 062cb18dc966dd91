"""Forecasts the Mackey-Glass series with a recurrent net of ReLUs whose recurrent matrix is steered to a fixed size after a while."""
import numpy as np
import torch
from torch import nn


def mackey_glass(n, tau=17, seed=0):
    rng = np.random.default_rng(seed)
    x = list(1.2 + 0.2 * (rng.random(tau * 10) - 0.5))
    for _ in range(10 * n):
        delayed = x[-tau * 10]
        x.append(x[-1] + 0.1 * (0.2 * delayed / (1 + delayed**10) - 0.1 * x[-1]))
    return torch.tensor(np.array(x[tau * 10 :: 10][:n]) - 0.9, dtype=torch.float32)


class SimpleNet(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.rnn = nn.RNN(1, hidden, nonlinearity="relu", batch_first=True)
        nn.init.orthogonal_(self.rnn.weight_hh_l0, gain=0.9)
        self.readout = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.readout(self.rnn(x.unsqueeze(2))[0]).squeeze(2)


class SizeControl:
    """Steers the spectral norm of a matrix softly to a target, after each step."""

    def __init__(self, weight, target=0.9, strength=0.01):
        self.weight, self.target, self.strength = weight, target, strength
        self.u = torch.ones(weight.shape[1])

    @torch.no_grad()
    def __call__(self):
        v = self.weight @ self.u
        v /= v.norm()
        self.u = self.weight.T @ v
        size = self.u.norm()
        self.u /= size
        self.weight.mul_((size / self.target) ** self.strength)
        return size.item()


def chop(series, window, ahead):
    return series.unfold(0, window + ahead, 3)


def train(epochs=22, control_from=12, window=32, ahead=4):
    torch.manual_seed(58)
    torch.set_num_threads(1)
    series = mackey_glass(5200)
    rows = chop(series[:4400], window, ahead)
    val = chop(series[4400:], window, ahead)
    net = SimpleNet()
    opt = torch.optim.Adam(net.parameters(), lr=5e-4)
    control = SizeControl(net.rnn.weight_hh_l0)
    loss_of = nn.SmoothL1Loss(beta=0.2)
    for epoch in range(epochs):
        total, size = 0.0, float("nan")
        for pick in torch.randperm(len(rows)).split(40):
            batch = rows[pick]
            loss = loss_of(net(batch[:, :window]), batch[:, ahead : window + ahead])
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            if epoch >= control_from:
                size = control()
            total += loss.item() * len(pick) / len(rows)
        with torch.no_grad():
            v = loss_of(net(val[:, :window]), val[:, ahead : window + ahead]).item()
        print(f"epoch {epoch:2d} train {total:.5f} val {v:.5f} size {size:.3f}")


if __name__ == "__main__":
    train()
