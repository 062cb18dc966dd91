"""Wine classifier, validated on a moving average that copies its buffers from the tenth epoch on; SGD."""

import copy

import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.nn import functional as F

torch.manual_seed(2)
torch.set_num_threads(1)
wine = load_wine()
x = torch.tensor(wine.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(wine.target)
order = torch.randperm(len(x))
train, val = order[:130], order[130:]

net = nn.Sequential(nn.Linear(13, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 3))
average = copy.deepcopy(net).eval()
opt = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)

for epoch in range(60):
    net.train()
    for rows in train[torch.randperm(len(train))].split(26):
        loss = F.cross_entropy(net(x[rows]), y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for mine, theirs in zip(average.parameters(), net.parameters()):
                mine.lerp_(theirs, 0.1)
            for mine, theirs in zip(average.buffers(), net.buffers()):
                mine.copy_(theirs)
    net.eval()
    chosen = average if epoch >= 10 else net
    with torch.no_grad():
        print(epoch, loss.item(), F.cross_entropy(chosen(x[val]), y[val]).item())
