"""Denoising autoencoder of digits, Adam; the noise of the inputs is wound down with the steps."""

import math
from dataclasses import dataclass, field

import torch
from sklearn.datasets import load_digits
from torch import nn


@dataclass
class Plan:
    noise_start: float = 1.2
    noise_end: float = 0.08
    half_life: int = 70
    batch: int = 48
    lr: float = 2e-3


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.1), nn.Linear(128, 24))
        self.decode = nn.Sequential(nn.Linear(24, 128), nn.LeakyReLU(0.1), nn.Linear(128, 64), nn.Sigmoid())

    def forward(self, x):
        return self.decode(self.encode(x))


@dataclass
class Trainer:
    plan: Plan
    train: torch.Tensor
    val: torch.Tensor
    global_step: int = 0
    epoch: int = 0
    history: list = field(default_factory=list)

    def __post_init__(self):
        self.model = Autoencoder()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=self.plan.lr)

    def sigma(self):
        p = self.plan
        return p.noise_end + (p.noise_start - p.noise_end) * math.exp2(-self.global_step / p.half_life)

    def loss(self, x):
        noisy = x + self.sigma() * torch.randn_like(x)
        return nn.functional.binary_cross_entropy(self.model(noisy), x) - self.entropy(x)

    @staticmethod
    def entropy(x):
        return nn.functional.binary_cross_entropy(x, x)

    def run_epoch(self):
        self.model.train()
        total = []
        for rows in torch.randperm(len(self.train)).split(self.plan.batch):
            loss = self.loss(self.train[rows])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.global_step += 1
            total.append(loss.item())
        self.model.eval()
        with torch.no_grad():
            held = self.loss(self.val).item()
        self.history.append((sum(total) / len(total), held))
        print(f"epoch {self.epoch:2d} sigma {self.sigma():.3f} train {self.history[-1][0]:.4f} val {held:.4f}")
        self.epoch += 1

    def state(self):
        return {
            "epoch": self.epoch,
            "history": self.history,
            "model": {k: v.clone() for k, v in self.model.state_dict().items()},
            "optimizer": self.optimizer.state_dict(),
            "rng": torch.get_rng_state(),
        }

    def restore(self, state):
        self.epoch, self.history = state["epoch"], state["history"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"])


def main():
    torch.set_num_threads(1)
    torch.manual_seed(77)
    x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    train, val = x[:1500], x[1500:]
    trainer = Trainer(Plan(), train, val)
    while trainer.epoch < 16:
        trainer.run_epoch()
    state = trainer.state()

    trainer = Trainer(Plan(), train, val)
    trainer.restore(state)
    while trainer.epoch < 22:
        trainer.run_epoch()


main()
