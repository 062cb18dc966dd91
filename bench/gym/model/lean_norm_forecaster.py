"""Forecasts noisy oscillators with a gated MLP; its LayerNorms give way to a leaner norm with learnt scales after the first part."""
import torch
from torch import nn


def oscillators(n, seed, past=32, ahead=8):
    g = torch.Generator().manual_seed(seed)
    t = torch.arange(past + ahead) / 10
    w = 1 + 3 * torch.rand(n, 1, generator=g)
    damp = 0.3 * torch.rand(n, 1, generator=g)
    x = torch.exp(-damp * t) * torch.cos(w * t + 6.28 * torch.rand(n, 1, generator=g)) + 0.03 * torch.randn(n, past + ahead, generator=g)
    return x[:, :past], x[:, past:]


class LeanNorm(nn.Module):
    """Root mean square norm."""

    def __init__(self, width, eps=1e-6, like=None):
        super().__init__()
        self.eps = eps
        self.scale = nn.Parameter(torch.empty(width))
        self.shift = nn.Parameter(torch.empty(width))
        if like is not None:
            self.take_over(like)

    @torch.no_grad()
    def take_over(self, norm):
        self.shift.copy_(norm.bias)

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.scale + self.shift


class Gated(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.value, self.gate, self.out = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x):
        h = self.norm(x)
        return x + self.out(self.value(h) * torch.sigmoid(self.gate(h)))


class Forecaster(nn.Sequential):
    def __init__(self, past=32, ahead=8, width=64, depth=3):
        super().__init__(nn.Linear(past, width), *[Gated(width) for _ in range(depth)], nn.Linear(width, ahead))

    def use_lean_norms(self):
        for block in self:
            if isinstance(block, Gated):
                block.norm = LeanNorm(block.norm.normalized_shape[0], like=block.norm)


class Trainer:
    def __init__(self, model, seed):
        self.model = model
        self.data, self.val = oscillators(2000, seed), oscillators(400, seed + 1)
        self.loss_fn = nn.L1Loss()

    def fit(self, label, epochs, lr):
        opt = torch.optim.AdamW(self.model.parameters(), lr=lr)
        x, y = self.data
        for epoch in range(epochs):
            total = 0.0
            for rows in torch.randperm(len(x)).split(50):
                loss = self.loss_fn(self.model(x[rows]), y[rows])
                opt.zero_grad()
                loss.backward()
                opt.step()
                total += loss.item() * len(rows) / len(x)
            with torch.no_grad():
                v = self.loss_fn(self.model(self.val[0]), self.val[1]).item()
            print(f"{label} {epoch:2d} train {total:.4f} val {v:.4f}")


if __name__ == "__main__":
    torch.manual_seed(71)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    trainer = Trainer(Forecaster(), seed=5)
    trainer.fit("layer norm", 12, 2e-3)
    trainer.model.use_lean_norms()
    trainer.fit("lean norm", 8, 1e-3)
