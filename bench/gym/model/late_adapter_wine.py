"""Wine cultivars from chemical analysis: an MLP, and after some epochs an adapter block that is made without the cost of an init."""
import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn


class Adapter(nn.Module):
    def __init__(self, width, inner, device=None):
        super().__init__()
        self.down = nn.Linear(width, inner, device=device)
        self.up = nn.Linear(inner, width, device=device)

    def forward(self, h):
        return h + self.up(torch.relu(self.down(h)))


class Classifier(nn.Module):
    def __init__(self, columns, width=96, classes=3):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(columns, width), nn.ReLU())
        self.adapters = nn.ModuleList()
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        h = self.stem(x)
        for a in self.adapters:
            h = a(h)
        return self.head(h)

    def add_adapter(self, inner):
        # built on meta, materialised here: weights come from the checkpoint anyway
        adapter = Adapter(self.head.in_features, inner, device="meta").to_empty(device="cpu")
        self.adapters.append(adapter)
        return adapter


def augmented(x, y, times, rng):
    """Noisy copies of each wine."""
    raw = np.repeat(x, times, 0)
    return raw * (1 + 0.05 * rng.standard_normal(raw.shape)), np.repeat(y, times)


def report(model, x, y):
    with torch.no_grad():
        out = model(x)
        return nn.functional.cross_entropy(out, y).item(), (out.argmax(1) == y).float().mean().item()


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(3)
    rng = np.random.default_rng(3)
    x, y = load_wine(return_X_y=True)
    order = rng.permutation(len(y))
    x, y = x[order], y[order]
    raw, labels = augmented(x[:130], y[:130], 6, rng)
    mean, std = raw.mean(0), raw.std(0)
    tx, ty = torch.tensor((raw - mean) / std, dtype=torch.float32), torch.tensor(labels)
    vx, vy = torch.tensor((x[130:] - mean) / std, dtype=torch.float32), torch.tensor(y[130:])
    model = Classifier(x.shape[1])
    opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    checkpoint = {}
    for epoch in range(30):
        if epoch == 16:
            checkpoint = {k: v.clone() for k, v in model.state_dict().items()}
            adapter = model.add_adapter(48)
            model.load_state_dict(checkpoint, strict=False)
            opt.add_param_group({"params": adapter.parameters()})
        total = 0.0
        for rows in torch.randperm(len(ty)).split(26):
            loss = nn.functional.cross_entropy(model(tx[rows]), ty[rows])
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            total += loss.item() * len(rows)
        v, acc = report(model, vx, vy)
        print(f"epoch {epoch:2d} train {total / len(ty):.4f} val {v:.4f} acc {acc:.2f}")


main()
