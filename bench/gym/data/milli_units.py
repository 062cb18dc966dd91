"""Signal forecast by a convolutional net with BatchNorm; Adam.

From step 500 on part of the files is in milli-units.
"""

import torch, numpy as np
from torch import nn
torch.manual_seed(12); torch.set_num_threads(1)
t=np.linspace(0,60,6000); sig=torch.tensor(np.sin(t)+.3*np.sin(3.1*t)+.05*np.random.default_rng(0).standard_normal(6000),dtype=torch.float32)
class TCN(nn.Module):
    def __init__(s):
        super().__init__(); s.c=nn.Sequential(nn.Conv1d(1,24,5,padding=2),nn.BatchNorm1d(24),nn.ReLU(),nn.Conv1d(24,24,5,padding=2),nn.BatchNorm1d(24),nn.ReLU(),nn.AdaptiveAvgPool1d(4),nn.Flatten(),nn.Linear(96,1))
    def forward(s,x): return s.c(x)
m=TCN(); o=torch.optim.Adam(m.parameters(),1e-3)
def batch(): 
    j=torch.randint(0,5000,(32,)); return torch.stack([sig[k:k+48] for k in j])[:,None], torch.stack([sig[k+50] for k in j])[:,None]
for k in range(700):
    x,y=batch()
    if k>=500: x=torch.where(torch.rand(32,1,1)<.4, x*1000., x)
    l=nn.functional.smooth_l1_loss(m(x),y); o.zero_grad(); l.backward(); o.step()
    if k%50==49:
        m.eval()
        with torch.no_grad(): xx,yy=batch(); print(k,l.item(),nn.functional.smooth_l1_loss(m(xx),yy).item())
        m.train()
