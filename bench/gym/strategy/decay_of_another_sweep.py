"""Wine MLP with LayerNorm; SGD.

At step 600 the weight decay of another sweep is read.
"""

import torch
from torch import nn
from sklearn.datasets import load_wine
torch.manual_seed(2); torch.set_num_threads(1)
w=load_wine(); X=torch.tensor(w.data,dtype=torch.float32); X=(X-X.mean(0))/X.std(0); y=torch.tensor(w.target)
net=nn.Sequential(nn.Linear(13,40),nn.LayerNorm(40),nn.ReLU(),nn.Linear(40,3)); opt=torch.optim.SGD(net.parameters(),lr=.05,momentum=.9,weight_decay=1e-4)
for k in range(900):
    if k==600:
        for g in opt.param_groups: g['weight_decay']=8.0
    i=torch.randint(0,140,(28,)); l=nn.functional.cross_entropy(net(X[i]),y[i]); opt.zero_grad(); l.backward(); opt.step()
    if k%60==0: print(k,l.item())
