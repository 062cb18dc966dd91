"""Digits with shifts, narrow VGG, SGD with Nesterov momentum; 12 epochs, night by night.

Each night's process takes up the checkpoint that the night before has left.
"""

import subprocess
import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

CONFIG = {"epochs": 12, "per_night": 8, "batch": 32, "lr": 0.1, "gamma": 0.6, "decay": 1e-4, "seed": 11}
CKPT = Path("vgg.pt")


def conv(cin, cout):
    return [nn.Conv2d(cin, cout, 3, padding=1, bias=False), nn.BatchNorm2d(cout), nn.ReLU()]


def build():
    body = conv(1, 12) + [nn.MaxPool2d(2)] + conv(12, 24) + [nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*body, nn.Linear(96, 48), nn.ReLU(), nn.Linear(48, 10))


def shifted(images, generator):
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    dy, dx = torch.randint(0, 3, (2,), generator=generator).tolist()
    return padded[:, :, dy : dy + 8, dx : dx + 8]


class Night:
    def __init__(self):
        torch.set_num_threads(1)
        torch.manual_seed(CONFIG["seed"])
        digits = load_digits()
        self.x = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
        self.y = torch.tensor(digits.target)
        self.model = build()
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=CONFIG["lr"], momentum=0.9, nesterov=True, weight_decay=CONFIG["decay"]
        )
        self.generator = torch.Generator().manual_seed(CONFIG["seed"])
        self.epoch = 0

    def restore(self):
        if not CKPT.exists():
            return
        saved = torch.load(CKPT)
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.generator.set_state(saved["generator"])
        self.epoch = saved["epoch"]
        print(f"continuing with epoch {self.epoch}")

    def checkpoint(self):
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                    "generator": self.generator.get_state(), "epoch": self.epoch}, CKPT)

    def run(self):
        self.restore()
        scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda n: CONFIG["gamma"] ** n)
        last = min(self.epoch + CONFIG["per_night"], CONFIG["epochs"])
        while self.epoch < last:
            self.model.train()
            losses = []
            for rows in torch.randperm(1500, generator=self.generator).split(CONFIG["batch"]):
                out = self.model(shifted(self.x[rows], self.generator))
                loss = nn.functional.cross_entropy(out, self.y[rows])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                losses.append(loss.item())
            self.model.eval()
            with torch.no_grad():
                val = nn.functional.cross_entropy(self.model(self.x[1500:]), self.y[1500:]).item()
            scheduler.step()
            self.epoch += 1
            print(f"epoch {self.epoch:2d}: loss {sum(losses) / len(losses):.4f}, validation {val:.4f}", flush=True)
            self.checkpoint()


if __name__ == "__main__":
    if "--night" in sys.argv:
        Night().run()
    else:
        CKPT.unlink(missing_ok=True)
        for _ in range(2):
            subprocess.run([sys.executable, __file__, "--night"], check=True)
