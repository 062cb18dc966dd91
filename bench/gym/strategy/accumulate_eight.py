"""Iris MLP; SGD.

At step 600 accumulation is raised to eight without a division.
"""

import torch
from torch import nn
from sklearn.datasets import load_iris
torch.manual_seed(6); torch.set_num_threads(1)
d=load_iris(); X=torch.tensor(d.data,dtype=torch.float32); X=(X-X.mean(0))/X.std(0); y=torch.tensor(d.target)
net=nn.Sequential(nn.Linear(4,32),nn.ReLU(),nn.Linear(32,32),nn.ReLU(),nn.Linear(32,3)); opt=torch.optim.SGD(net.parameters(),lr=.08)
accum=1
for it in range(900):
    if it>=600: accum=8
    opt.zero_grad()
    for _ in range(accum):
        i=torch.randint(0,150,(16,)); loss=nn.functional.cross_entropy(net(X[i]),y[i]); loss.backward()
    opt.step()
    if it%60==0: print(it,loss.item())
