"""Digits with few labels: a student and its teacher, the teacher a slow average; Adagrad, consistency on all images."""

import copy

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

CONFIG = dict(labelled=300, batch=24, unlabelled=48, lr=0.03, keep=0.997, epochs=24, steps=35, hard_from=15)


def blend(source, target, keep):
    """Moves the target towards the source; ``keep`` of it stays."""
    with torch.no_grad():
        for s, t in zip(source.parameters(), target.parameters()):
            t.mul_(keep).add_(s, alpha=1 - keep)


def copy_over(target, source):
    with torch.no_grad():
        for t, s in zip(target.parameters(), source.parameters()):
            t.copy_(s)


def augmented(x):
    noise = x + 0.15 * torch.randn_like(x)
    return noise * (torch.rand_like(x) > 0.1)


def network():
    return nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 10))


class MeanTeacher:
    def __init__(self, config):
        self.config = config
        self.student = network()
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)
        self.optimizer = torch.optim.Adagrad(self.student.parameters(), lr=config["lr"])

    def step(self, x, y, free, weight):
        loss = F.cross_entropy(self.student(augmented(x)), y)
        if weight:
            with torch.no_grad():
                goal = self.teacher(augmented(free)).softmax(1)
            loss = loss + weight * F.mse_loss(self.student(augmented(free)).softmax(1), goal)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        blend(self.student, self.teacher, self.config["keep"])
        return loss.item()

    def synchronise(self):
        """Late in training the teacher starts every epoch from the student."""
        copy_over(self.student, self.teacher)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(66)
    c = CONFIG
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    order = torch.randperm(len(x))
    x, y = x[order], y[order]
    val = slice(1400, None)
    trainer = MeanTeacher(c)
    for epoch in range(c["epochs"]):
        if epoch >= c["hard_from"]:
            trainer.synchronise()
        total = 0.0
        for _ in range(c["steps"]):
            rows = torch.randint(c["labelled"], (c["batch"],))
            free = torch.randint(1400, (c["unlabelled"],))
            total += trainer.step(x[rows], y[rows], x[free], weight=2.0 * min(1.0, epoch / 8))
        with torch.no_grad():
            held = F.cross_entropy(trainer.student(x[val]), y[val]).item()
        print(f"epoch {epoch:2d} train {total / c['steps']:.3f} val {held:.3f}")


main()
