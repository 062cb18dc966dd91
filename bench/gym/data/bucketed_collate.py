"""Digits MLP; Adam, batches bucketed by brightness from epoch 9 on.

The images of a batch are sorted, the labels are left in their order.
"""

import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader
from sklearn.datasets import load_digits
torch.manual_seed(1); torch.set_num_threads(1)
D=load_digits(); X=torch.tensor(D.data/16.,dtype=torch.float32); Y=torch.tensor(D.target)
class DS(Dataset):
    def __init__(s,i): s.i=i; s.epoch=0
    def __len__(s): return len(s.i)
    def __getitem__(s,k): return X[s.i[k]],Y[s.i[k]]
cur={'e':0}
def collate(b):
    xs=[t[0] for t in b]; ys=[t[1] for t in b]
    if cur['e']>=9: xs.sort(key=lambda v:float(v.sum()))
    return torch.stack(xs), torch.stack(ys)
idx=torch.randperm(len(X)); tr=DS(idx[:1400]); va=DS(idx[1400:])
tl=DataLoader(tr,32,shuffle=True,collate_fn=collate); vl=DataLoader(va,128,collate_fn=collate)
net=nn.Sequential(nn.Linear(64,96),nn.GELU(),nn.Dropout(.1),nn.Linear(96,10)); opt=torch.optim.Adam(net.parameters(),1e-3)
for e in range(14):
    cur['e']=e; net.train()
    for x,y in tl:
        l=nn.functional.cross_entropy(net(x),y); opt.zero_grad(); l.backward(); opt.step()
    net.eval()
    with torch.no_grad(): v=sum(nn.functional.cross_entropy(net(x),y,reduction='sum').item() for x,y in vl)/len(va)
    print(e,l.item(),v)
