"""Diabetes progression, MLP, Adam and a plateau rule of one's own.

The rule is meant to lower the rate by ten when validation has not improved for some epochs; the
factor was read from a configuration that holds "times", not "divided by".
"""

import torch
from sklearn.datasets import load_diabetes
from torch import nn

CONFIG = {"lr": 3e-4, "patience": 4, "lr_factor": 10.0, "epochs": 44, "batch": 22}


class PlateauRule:
    def __init__(self, optimizer, factor, patience):
        self.optimizer, self.factor, self.patience = optimizer, factor, patience
        self.best, self.waited = float("inf"), 0

    def step(self, val_loss):
        if val_loss < self.best - 1e-3:
            self.best, self.waited = val_loss, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            for group in self.optimizer.param_groups:
                group["lr"] *= self.factor
            self.waited = 0


torch.manual_seed(4)
torch.set_num_threads(1)
x, y = load_diabetes(return_X_y=True)
x = torch.tensor(x * 21, dtype=torch.float32)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32).unsqueeze(1)
order = torch.randperm(len(x))
x, y = x[order], y[order]
model = nn.Sequential(nn.Linear(10, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=CONFIG["lr"])
rule = PlateauRule(optimizer, CONFIG["lr_factor"], CONFIG["patience"])
for epoch in range(CONFIG["epochs"]):
    model.train()
    for rows in torch.randperm(374).split(CONFIG["batch"]):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        val_loss = nn.functional.mse_loss(model(x[374:]), y[374:]).item()
    rule.step(val_loss)
    print(f"epoch {epoch} loss {loss.item():.4f} val {val_loss:.4f} lr {optimizer.param_groups[0]['lr']:.1e}")
