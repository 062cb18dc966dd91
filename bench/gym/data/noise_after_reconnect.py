"""Digits CNN with BatchNorm; AdamW, one cycle.

After a failed reconnect at step 420 the reader returns noise.
"""

import torch
from torch import nn
from sklearn.datasets import load_digits
torch.manual_seed(31); torch.set_num_threads(1)
d=load_digits(); X=torch.tensor(d.images,dtype=torch.float32)[:,None]/8-1; y=torch.tensor(d.target)
class N(nn.Module):
    def __init__(s): super().__init__(); s.f=nn.Sequential(nn.Conv2d(1,20,3),nn.BatchNorm2d(20),nn.ReLU(),nn.Flatten(),nn.Linear(20*36,64),nn.ReLU()); s.h=nn.Linear(64,10)
    def forward(s,x): return s.h(s.f(x))
n=N(); o=torch.optim.AdamW(n.parameters(),lr=2e-3)
sched=torch.optim.lr_scheduler.OneCycleLR(o,max_lr=4e-3,total_steps=600)
for k in range(600):
    i=torch.randint(0,1500,(24,)); xb=X[i]
    if k>=420: xb=xb[:,:,:,torch.arange(7,-1,-1)]*0+torch.randn_like(xb)*3
    l=nn.functional.cross_entropy(n(xb),y[i]); o.zero_grad(); l.backward(); o.step(); sched.step()
    if k%30==0:
        n.eval()
        with torch.no_grad(): print(k,l.item(),nn.functional.cross_entropy(n(X[1500:]),y[1500:]).item())
        n.train()
