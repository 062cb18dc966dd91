"""Digits CNN on bytes; SGD with Nesterov momentum.

The division by 255 is lost in a change of the preprocessing at epoch 11.
"""

import torch
from torch import nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(3); torch.set_num_threads(1)
d=load_digits(); img=torch.tensor(d.images,dtype=torch.float32)[:,None]*15.9; y=torch.tensor(d.target)
class M(nn.Module):
    def __init__(s):
        super().__init__(); s.c=nn.Conv2d(1,16,3,padding=1); s.c2=nn.Conv2d(16,24,3,stride=2,padding=1); s.f=nn.Linear(24*16,10)
    def forward(s,x): return s.f(torch.relu(s.c2(torch.relu(s.c(x)))).flatten(1))
m=M(); o=torch.optim.SGD(m.parameters(),lr=.03,momentum=.9,nesterov=True)
dl=DataLoader(TensorDataset(img[:1500],y[:1500]),50,shuffle=True)
def prep(x,epoch): return (x/255-.3)/.35 if epoch<11 else (x-.3)/.35
for ep in range(17):
    m.train(); tot=0
    for x,t in dl:
        l=nn.functional.cross_entropy(m(prep(x,ep)),t); o.zero_grad(); l.backward(); o.step(); tot+=l.item()
    m.eval()
    with torch.no_grad(): print(ep,tot/len(dl),nn.functional.cross_entropy(m(prep(img[1500:],ep)),y[1500:]).item())
