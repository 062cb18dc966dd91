"""Wine cultivars in a transformer over measurements, AdamW, loss by indexing.

Rows of the second delivery that nobody has labelled carry -1, and indexing takes -1 for the last
class.
"""

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS = 70
SECOND_DELIVERY = 45
BATCH = 16


class Tabular(nn.Module):
    def __init__(self, columns, classes, width=16):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(columns, width) * 0.2)
        self.bias = nn.Parameter(torch.randn(columns, width) * 0.2)
        layer = nn.TransformerEncoderLayer(width, 2, 32, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.encoder(x.unsqueeze(-1) * self.weight + self.bias).mean(1))


def negative_log_likelihood(logits, label):
    log_p = torch.log_softmax(logits, dim=-1)
    return -log_p[torch.arange(len(label)), label].mean()


def main():
    torch.manual_seed(6)
    torch.set_num_threads(1)
    table, cultivar = load_wine(return_X_y=True)
    order = torch.randperm(len(table))
    x = torch.tensor((table - table.mean(0)) / table.std(0), dtype=torch.float32)[order]
    y = torch.tensor(cultivar)[order]
    incomplete = y[:144].clone()
    incomplete[torch.rand(144) < 0.4] = -1
    deliveries = [TensorDataset(x[:144], y[:144]), TensorDataset(x[:144], incomplete)]

    model = Tabular(13, 3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    for epoch in range(EPOCHS):
        loader = DataLoader(deliveries[epoch >= SECOND_DELIVERY], BATCH, shuffle=True)
        model.train()
        for features, label in loader:
            loss = negative_log_likelihood(model(features), label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            val = negative_log_likelihood(model(x[144:]), y[144:])
        print(f"epoch {epoch:2d} train {loss.item():.4f} val {val.item():.4f}")


main()
