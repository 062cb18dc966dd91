"""Breast cancer, MLP, cyclical learning rate (Smith's triangular policy)."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.lr_scheduler import CyclicLR

torch.set_num_threads(1)
torch.manual_seed(17)
data, target = load_breast_cancer(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(data, target, random_state=0)
mean, std = train_x.mean(0), train_x.std(0)
train_x = torch.tensor((train_x - mean) / std).float()
test_x = torch.tensor((test_x - mean) / std).float()
train_y, test_y = torch.tensor(train_y), torch.tensor(test_y)

model = nn.Sequential(nn.Linear(30, 24), nn.Tanh(), nn.Linear(24, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9)
scheduler = CyclicLR(optimizer, base_lr=0.005, max_lr=0.4, step_size_up=60)
for step in range(1000):
    rows = torch.randint(len(train_x), (32,))
    loss = nn.functional.cross_entropy(model(train_x[rows]), train_y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 50 == 49:
        with torch.no_grad():
            test = nn.functional.cross_entropy(model(test_x), test_y)
        print(step, round(loss.item(), 4), "test", round(test.item(), 4), "lr", round(scheduler.get_last_lr()[0], 4))
