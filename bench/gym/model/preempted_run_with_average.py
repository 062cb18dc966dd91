"""Breast-cancer MLP, trained in sessions with a checkpoint between (the cluster preempts jobs). A weight average is validated."""
import io

import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import QuantileTransformer


class BiasCorrectedAverage:
    """Average of weights from zero, divided by 1 - decay^t as Adam does."""

    def __init__(self, model, decay=0.9985):
        self.decay = decay
        self.count = 0
        self.sums = {k: torch.zeros_like(v) for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model):
        self.count += 1
        for k, v in model.state_dict().items():
            self.sums[k].lerp_(v, 1 - self.decay)

    def write_to(self, model):
        correction = 1 - self.decay**self.count
        model.load_state_dict({k: v / correction for k, v in self.sums.items()})
        return model

    def state_dict(self):
        return {"sums": self.sums, "decay": self.decay}

    def load_state_dict(self, state):
        self.sums, self.decay = state["sums"], state["decay"]


def build():
    return nn.Sequential(nn.Linear(30, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))


class Session:
    def __init__(self, data, checkpoint=None):
        self.x, self.vx, self.y, self.vy = data
        self.model = build()
        self.judge = build()
        self.opt = torch.optim.Adam(self.model.parameters(), lr=8e-4)
        self.average = BiasCorrectedAverage(self.model)
        self.epoch = 0
        if checkpoint is not None:
            state = torch.load(checkpoint)
            self.model.load_state_dict(state["model"])
            self.opt.load_state_dict(state["opt"])
            self.average.load_state_dict(state["average"])
            self.epoch = state["epoch"]

    def save(self):
        buffer = io.BytesIO()
        parts = {"model": self.model, "opt": self.opt, "average": self.average}
        torch.save({**{k: v.state_dict() for k, v in parts.items()}, "epoch": self.epoch}, buffer)
        buffer.seek(0)
        return buffer

    def run(self, until):
        criterion = nn.BCEWithLogitsLoss()
        while self.epoch < until:
            total = 0.0
            gen = torch.Generator().manual_seed(self.epoch)
            for rows in torch.randperm(len(self.y), generator=gen).split(16):
                noisy = self.x[rows] + 0.2 * torch.randn(len(rows), 30, generator=gen)
                loss = criterion(self.model(noisy).squeeze(1), self.y[rows])
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                self.average.update(self.model)
                total += loss.item() * len(rows)
            with torch.no_grad():
                v = criterion(self.average.write_to(self.judge)(self.vx).squeeze(1), self.vy).item()
            print(f"epoch {self.epoch:2d} train {total / len(self.y):.4f} val (average) {v:.4f}")
            self.epoch += 1


if __name__ == "__main__":
    torch.manual_seed(13)
    torch.set_num_threads(1)
    x, y = load_breast_cancer(return_X_y=True)
    x = QuantileTransformer(n_quantiles=100, output_distribution="normal").fit_transform(x).clip(-3, 3)
    data = [torch.tensor(a, dtype=torch.float32) for a in train_test_split(x, y, test_size=0.25, random_state=0)]
    first = Session(data)
    first.run(until=18)
    second = Session(data, first.save())
    second.run(until=30)
