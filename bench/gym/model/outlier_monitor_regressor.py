"""Regression on sensor-like curves with a 1-d CNN; a monitor compares the features of real curves with those of synthetic outliers."""
import torch
from accelerate import Accelerator
from torch import nn


def curves(n, seed):
    g = torch.Generator().manual_seed(seed)
    t = torch.linspace(0, 1, 64)
    a, f, p = (torch.rand(n, 1, generator=g) for _ in range(3))
    x = (0.5 + a) * torch.sin(2 * torch.pi * ((2 + 4 * f) * t + p)) + 0.1 * torch.randn(n, 64, generator=g)
    y = torch.cat([a, f], 1) * 2 - 1
    return x.unsqueeze(1), y


def outliers(n, g):
    """Sensors that clip, drift and spike."""
    x = 3 * torch.randn(n, 1, 64, generator=g).cumsum(2)
    return x.clamp(-20, 20) + 15 * (torch.rand(n, 1, 64, generator=g) < 0.05)


def network():
    def block(i, o):
        return [nn.Conv1d(i, o, 5, stride=2, padding=2), nn.BatchNorm1d(o), nn.SiLU()]

    return nn.Sequential(*block(1, 16), *block(16, 24), *block(24, 32), nn.Flatten(), nn.Linear(32 * 8, 2))


class Monitor:
    def __init__(self, features, every):
        self.features, self.every = features, every
        self.gen = torch.Generator().manual_seed(5)

    @torch.no_grad()
    def __call__(self, step, batch):
        if step % self.every:
            return None
        inside, outside = self.features(batch).flatten(1), self.features(outliers(len(batch), self.gen)).flatten(1)
        return ((inside.mean(0) - outside.mean(0)).norm() / inside.std()).item()


def main():
    torch.manual_seed(26)
    torch.set_num_threads(1)
    accelerator = Accelerator(cpu=True)
    x, y = curves(1600, 0)
    vx, vy = curves(300, 1)
    net = network()
    opt = torch.optim.RMSprop(net.parameters(), lr=1e-3, alpha=0.98)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=40, shuffle=True)
    net, opt, loader = accelerator.prepare(net, opt, loader)
    monitor, step = None, 0
    for epoch in range(20):
        if epoch == 12:  # features mean something by now
            monitor = Monitor(net[:-1], every=4)
        net.train()
        losses, gaps = [], []
        for xb, yb in loader:
            loss = nn.functional.l1_loss(net(xb), yb)
            opt.zero_grad()
            accelerator.backward(loss)
            opt.step()
            losses.append(loss.item())
            if monitor is not None and (gap := monitor(step, xb)) is not None:
                gaps.append(gap)
            step += 1
        net.eval()
        with torch.no_grad():
            val = nn.functional.l1_loss(net(vx), vy).item()
        note = f" outlier gap {sum(gaps) / len(gaps):.2f}" if gaps else ""
        print(f"epoch {epoch:2d} train {sum(losses) / len(losses):.4f} val {val:.4f}{note}")


main()
