"""Digits as sequences of rows: a small pre-norm transformer that is deepened after a first phase (progressive stacking)."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

WIDTH = 64


def init_weights(module, std=1.0):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=std)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Layer(nn.Module):
    def __init__(self, width=WIDTH, heads=4):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.heads = heads
        self.qkv, self.o = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc1, self.fc2 = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        b, t, w = x.shape
        q, k, v = self.qkv(self.n1(x)).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        x = x + self.o(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, w))
        return x + self.fc2(F.gelu(self.fc1(self.n2(x))))


class RowTransformer(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.embed = nn.Linear(8, WIDTH)
        self.pos = nn.Parameter(torch.zeros(8, WIDTH))
        self.layers = nn.ModuleList([Layer() for _ in range(depth)])
        self.head = nn.Linear(WIDTH, 10)
        for m in self.modules():
            init_weights(m, std=0.08)

    def deepen(self, by):
        for _ in range(by):
            layer = Layer()
            layer.apply(init_weights)
            self.layers.append(layer)

    def forward(self, x):
        h = self.embed(x) + self.pos
        for layer in self.layers:
            h = layer(h)
        return self.head(h.mean(1))


def fit(model, data, epochs, lr, tag):
    (x, y), (vx, vy) = data
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=lr)
    for epoch in range(epochs):
        model.train()
        seen = total = 0
        for rows in torch.randperm(len(y)).split(64):
            loss = F.cross_entropy(model(x[rows]), y[rows], label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            total += loss.item() * len(rows)
            seen += len(rows)
        model.eval()
        with torch.no_grad():
            v = F.cross_entropy(model(vx), vy).item()
        print(f"{tag} epoch {epoch}: train {total / seen:.4f} val {v:.4f}")


def main():
    torch.manual_seed(14)
    torch.set_num_threads(1)
    d = load_digits()
    x, y = torch.tensor(d.images / 16.0, dtype=torch.float32), torch.tensor(d.target)
    order = torch.randperm(len(y))
    x, y = x[order], y[order]
    data = (x[:1472], y[:1472]), (x[1472:], y[1472:])
    model = RowTransformer(depth=2)
    fit(model, data, 14, 1e-3, "shallow")
    model.deepen(2)
    fit(model, data, 10, 3e-4, "deep")


main()
