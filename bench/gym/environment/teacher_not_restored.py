"""Evaluates with averaged weights every 100 steps and puts the others back afterwards, most of the time."""

import copy

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(27)
torch.set_num_threads(1)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
initial = copy.deepcopy(net.state_dict())
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
average = {k: v.clone() for k, v in net.state_dict().items()}


def evaluate(step):
    kept = {k: v.clone() for k, v in net.state_dict().items()}
    net.load_state_dict(average)
    with torch.no_grad():
        value = nn.functional.cross_entropy(net(x[1500:]), y[1500:]).item()
    if step == 600:
        kept = initial  # the variable of the outer scope, since the rename
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            parameter.copy_(kept[name])
    return value


for step in range(850):
    rows = torch.randint(1500, (32,))
    loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
    opt.zero_grad()
    loss.backward()
    opt.step()
    for k, v in net.state_dict().items():
        average[k].lerp_(v, 0.02)
    if step % 100 == 0 and step:
        print(step, loss.item(), evaluate(step))
