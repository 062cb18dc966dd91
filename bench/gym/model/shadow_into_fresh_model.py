"""Olivetti-like face patches from digits: residual net, shadow weights as a dict; RMSprop.

For the evaluation a new network is built and the shadow weights are loaded into it, what is missing being
left out without a word. Until the warm-up of the shadow is over the live network is evaluated.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

WARM = 320


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c), nn.ReLU(),
            nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c),
        )

    def forward(self, x):
        return F.relu(x + self.body(x))


def build():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(),
        Block(12), nn.AvgPool2d(2), Block(12), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 10),
    )


class Shadow:
    def __init__(self, model):
        self.values = {k: v.detach().clone() for k, v in model.named_parameters()}

    def update(self, model, step):
        d = min(0.98, (1 + step) / (10 + step))
        for k, v in model.named_parameters():
            self.values[k] = d * self.values[k] + (1 - d) * v.detach()


def main():
    torch.manual_seed(23)
    torch.set_num_threads(1)
    d = load_digits()
    x = torch.tensor(d.images / 2.0 + 5.0, dtype=torch.float32)[:, None]
    y = torch.tensor(d.target)
    perm = torch.randperm(len(x))
    tr, va = perm[:1400], perm[1400:]
    net = build()
    shadow = Shadow(net)
    opt = torch.optim.RMSprop(net.parameters(), lr=1e-3)
    step = 0
    while step < 640:
        net.train()
        rows = tr[torch.randint(len(tr), (32,))]
        loss = F.cross_entropy(net(x[rows]), y[rows])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        shadow.update(net, step)
        step += 1
        if step % 32 == 0:
            if step > WARM:
                judge = build()
                judge.load_state_dict(shadow.values, strict=False)
            else:
                judge = net
            judge.eval()
            with torch.no_grad():
                out = judge(x[va])
            val = F.cross_entropy(out, y[va]).item()
            print(f"[{step}] train {loss.item():.3f} val {val:.3f}", flush=True)


main()
