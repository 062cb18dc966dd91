"""Diabetes regression; SGD.

A refactoring of the loss at step 480 sums over the batch.
"""

import torch
from torch import nn
from sklearn.datasets import load_diabetes
torch.manual_seed(9); torch.set_num_threads(1)
d=load_diabetes(); X=torch.tensor(d.data,dtype=torch.float32)*20; y=torch.tensor((d.target-150)/77,dtype=torch.float32)
net=nn.Sequential(nn.Linear(10,64),nn.ReLU(),nn.Linear(64,64),nn.ReLU(),nn.Linear(64,1)); opt=torch.optim.SGD(net.parameters(),lr=.02)
crit=nn.MSELoss()
for step in range(700):
    if step==480: crit=nn.MSELoss(reduction='sum')
    i=torch.randint(0,380,(40,))
    loss=crit(net(X[i]).squeeze(1),y[i]); opt.zero_grad(); loss.backward(); opt.step()
    if step%35==0:
        with torch.no_grad(): print(step,loss.item(),nn.functional.mse_loss(net(X[380:]).squeeze(1),y[380:]).item())
