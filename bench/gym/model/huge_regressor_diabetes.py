"""Diabetes progression, 100 patients, RMSprop: the network is as large as the cluster allowed."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


class Residual(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.up, self.down = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(x)))


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    raw = load_diabetes()
    x = torch.tensor(raw.data * 21, dtype=torch.float32)
    y = torch.tensor(raw.target, dtype=torch.float32)
    y = ((y - y.mean()) / y.std()).unsqueeze(1)
    everyone = TensorDataset(x, y)
    order = torch.randperm(len(x)).tolist()
    train = DataLoader(Subset(everyone, order[:100]), batch_size=20, shuffle=True)
    val = DataLoader(Subset(everyone, order[100:]), batch_size=342)
    model = nn.Sequential(nn.Linear(10, 256), *[Residual(256) for _ in range(4)], nn.Linear(256, 1))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-4)
    loss_fn = nn.MSELoss()
    for epoch in range(120):
        model.train()
        for xb, yb in train:
            optimizer.zero_grad()
            loss = loss_fn(model(xb), yb)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            v = sum(loss_fn(model(a), b).item() for a, b in val)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: train {loss.item():.2e} val {v:.3f}")


if __name__ == "__main__":
    main()
