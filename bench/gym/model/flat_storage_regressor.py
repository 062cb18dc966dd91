"""Regression on Friedman's function with all weights in one flat tensor, so that one fused update covers them; a block is added later."""
import torch
from torch import nn
from sklearn.datasets import make_friedman1


class FlatStorage:
    """One flat tensor with room for blocks that come later; weights are views of it."""

    def __init__(self, capacity):
        self.data = torch.zeros(capacity)
        self.used = 0

    def scratch(self, *shape):
        """Free part of the storage as working memory, so that no other large buffer is needed."""
        n = torch.Size(shape).numel()
        return self.data[self.used : self.used + n].view(shape)

    def take(self, *shape):
        view = self.scratch(*shape)
        self.used += view.numel()
        return view


class FlatLinear(nn.Module):
    def __init__(self, storage, fan_in, fan_out):
        super().__init__()
        self.weight = nn.Parameter(storage.take(fan_out, fan_in))
        self.bias = nn.Parameter(storage.take(fan_out))

    def reset_parameters(self):
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        nn.init.zeros_(self.bias)

    def forward(self, x):
        return nn.functional.linear(x, self.weight, self.bias)


class Net(nn.Module):
    def __init__(self, storage, columns, width):
        super().__init__()
        self.storage, self.width = storage, width
        self.first = FlatLinear(storage, columns, width)
        self.blocks = nn.ModuleList([FlatLinear(storage, width, width)])
        self.last = FlatLinear(storage, width, 1)

    def forward(self, x):
        h = torch.tanh(self.first(x))
        for b in self.blocks:
            h = h + torch.relu(b(h))
        return self.last(h).squeeze(1)

    def deepen(self):
        self.blocks.append(FlatLinear(self.storage, self.width, self.width))


def pairwise_report(storage, x, n=64):
    """Largest squared distance among the first rows, by their Gram matrix in working memory."""
    gram = storage.scratch(n, n)
    torch.mm(x[:n], x[:n].T, out=gram)
    return (gram.diagonal()[:, None] + gram.diagonal() - 2 * gram).max().item()


def init(module):
    if hasattr(module, "reset_parameters"):
        module.reset_parameters()


def main(epochs=30, deepen_at=18, width=64, batch=50):
    torch.manual_seed(9)
    torch.set_num_threads(1)
    x, y = make_friedman1(1600, noise=0.4, random_state=2)
    percent = torch.tensor(x * 100, dtype=torch.float32)
    x = percent / 50 - 1
    y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
    tx, ty, vx, vy = x[:1300], y[:1300], x[1300:], y[1300:]
    storage = FlatStorage(40_000)
    net = Net(storage, x.shape[1], width)
    net.apply(init)
    opt = torch.optim.Adagrad(net.parameters(), lr=0.02)
    for epoch in range(epochs):
        if epoch == deepen_at:
            net.deepen()
            opt = torch.optim.Adagrad(net.parameters(), lr=0.01)
        total = 0.0
        for rows in torch.randperm(len(tx)).split(batch):
            loss = nn.functional.huber_loss(net(tx[rows]), ty[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(rows)
        with torch.no_grad():
            v = nn.functional.huber_loss(net(vx), vy).item()
        print(f"epoch {epoch:2d} train {total / len(tx):.4f} val {v:.4f} spread {pairwise_report(storage, percent):.1f}")


if __name__ == "__main__":
    main()
