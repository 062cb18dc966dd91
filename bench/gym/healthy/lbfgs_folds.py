"""Diabetes regression with L-BFGS: many evaluations per step, and every fold starts anew."""

import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
table, target = load_diabetes(return_X_y=True)
x = torch.tensor(table / table.std(0)).float()
y = torch.tensor((target - target.mean()) / target.std()).float()
for fold, (train, test) in enumerate(KFold(3, shuffle=True, random_state=1).split(table)):
    net = nn.Sequential(nn.Linear(10, 12), nn.Tanh(), nn.Linear(12, 1))
    optimizer = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=6, history_size=8)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x[train]).squeeze(1), y[train])
        loss = loss + 1e-3 * sum((p**2).sum() for p in net.parameters())
        loss.backward()
        return loss

    for step in range(120):
        loss = optimizer.step(closure)
        if step % 20 == 0:
            val = nn.functional.mse_loss(net(x[test]).squeeze(1), y[test])
            print(f"fold {fold} step {step} loss {loss.item():.4f} val {val.item():.4f}")
