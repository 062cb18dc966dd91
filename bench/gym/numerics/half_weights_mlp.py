"""Wine cultivars, MLP kept in half precision to save memory; features arrive unscaled from the second lab."""

import torch
from sklearn.datasets import load_wine
from torch import nn

torch.manual_seed(10)
torch.set_num_threads(1)
x, y = load_wine(return_X_y=True)
raw = torch.tensor(x, dtype=torch.float32)
scaled = (raw - raw.mean(0)) / raw.std(0)
y = torch.tensor(y)
net = nn.Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3)).half()
opt = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
for step in range(700):
    rows = torch.randint(len(x), (16,))
    source = scaled if step < 400 else raw * 30
    loss = nn.functional.cross_entropy(net(source[rows].half()).float(), y[rows])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 35 == 0:
        print(step, loss.item())
