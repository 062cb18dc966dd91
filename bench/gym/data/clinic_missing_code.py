"""Disease progression (diabetes), MLP regression with AdamW.

Records that arrive in the second half come from a system that writes -999 for "not measured".
"""

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, Dataset

EPOCHS = 80
NEW_SYSTEM = 50
BATCH = 32


class Records(Dataset):
    def __init__(self, table, target, mean, scale):
        self.table = ((table - mean) / scale).astype(np.float32)
        self.target = ((target - 150.0) / 75.0).astype(np.float32)

    def __len__(self):
        return len(self.table)

    def __getitem__(self, index):
        return self.table[index], self.target[index]


def evaluate(model, loader):
    model.eval()
    with torch.no_grad():
        losses = [nn.functional.mse_loss(model(x).squeeze(-1), y).item() for x, y in loader]
    return sum(losses) / len(losses)


def main():
    torch.manual_seed(5)
    torch.set_num_threads(1)
    table, target = load_diabetes(return_X_y=True, scaled=False)
    order = np.random.default_rng(5).permutation(len(table))
    table, target = table[order], target[order]
    mean, scale = table[:350].mean(0), table[:350].std(0)

    exported = table[:350].copy()
    blood = exported[:, 4:]
    blood[np.random.default_rng(6).random(blood.shape) < 0.05] = -999
    old = DataLoader(Records(table[:350], target[:350], mean, scale), BATCH, shuffle=True)
    new = DataLoader(Records(exported, target[:350], mean, scale), BATCH, shuffle=True)
    val = DataLoader(Records(table[350:], target[350:], mean, scale), 92)

    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    for epoch in range(EPOCHS):
        model.train()
        for x, y in new if epoch >= NEW_SYSTEM else old:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x).squeeze(-1), y)
            loss.backward()
            optimizer.step()
        print(epoch, round(loss.item(), 4), round(evaluate(model, val), 4), flush=True)


main()
