"""Which of five distributions does a sample come from? Deep sets, Adam, then a second part at a low rate with SGD.

Usage: latest_folder.py [--part first|second]
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

ROOT = Path("deepsets-run")
EVERY = 90


def draw(count, generator):
    label = torch.randint(5, (count,), generator=generator)
    u = torch.rand(count, 16, generator=generator)
    n = torch.randn(count, 16, generator=generator)
    kinds = torch.stack([
        n,
        (u - 0.5) * 12**0.5,
        -torch.log(u + 1e-4) - 1,
        torch.sign(n) * (0.9 + 0.3 * (u - 0.5)),
        n * torch.where(u < 0.15, 2.2, 0.6),
    ])
    x = kinds[label, torch.arange(count)] * (0.9 + 0.2 * torch.rand(count, 1, generator=generator))
    return x.unsqueeze(-1), label


class DeepSet(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(1, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU())
        self.rho = nn.Sequential(nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 5))

    def forward(self, x):
        return self.rho(self.phi(x).mean(1))


def latest():
    """The folder of the last checkpoint."""
    return sorted(path.name for path in ROOT.glob("step-*"))[-1]


def train(model, optimizer, generator, first, last):
    held = draw(1500, torch.Generator().manual_seed(999))
    recent = []
    for step in range(first, last):
        x, label = draw(48, generator)
        loss = nn.functional.cross_entropy(model(x), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recent.append(loss.item())
        if (step + 1) % EVERY == 0:
            with torch.no_grad():
                val = nn.functional.cross_entropy(model(held[0]), held[1]).item()
            print(f"step {step + 1} train {sum(recent) / len(recent):.3f} val {val:.3f}", flush=True)
            recent = []
            folder = ROOT / f"step-{step + 1}"
            folder.mkdir(parents=True)
            torch.save(model.state_dict(), folder / "weights.pt")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=("first", "second"))
    args = parser.parse_args()
    if args.part is None:
        shutil.rmtree(ROOT, ignore_errors=True)
        for part in ("first", "second"):
            subprocess.run([sys.executable, __file__, "--part", part], check=True)
        return
    torch.set_num_threads(1)
    torch.manual_seed(31)
    model = DeepSet()
    if args.part == "first":
        optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
        train(model, optimizer, torch.Generator().manual_seed(1), 0, 720)
    else:
        name = latest()
        print("from", name, flush=True)
        model.load_state_dict(torch.load(ROOT / name / "weights.pt"))
        optimizer = torch.optim.SGD(model.parameters(), lr=5e-3, momentum=0.9)
        train(model, optimizer, torch.Generator().manual_seed(2), 720, 1080)


main()
