"""Character transformer on library sources; AdamW, cosine schedule, clipping.

The factor of a sweep is multiplied in once more after a restart of the launcher at step 430.
"""

import math, torch, inspect, argparse, json
from torch import nn
torch.manual_seed(5); torch.set_num_threads(1)
src = inspect.getsource(argparse)+inspect.getsource(json)+inspect.getsource(inspect)
chars = sorted(set(src)); ix={c:i for i,c in enumerate(chars)}
data = torch.tensor([ix[c] for c in src])
class GPT(nn.Module):
    def __init__(s, v, d=48, h=4, l=2, t=32):
        super().__init__(); s.e=nn.Embedding(v,d); s.p=nn.Parameter(torch.zeros(t,d))
        s.b=nn.ModuleList([nn.TransformerEncoderLayer(d,h,4*d,dropout=0.0,batch_first=True,norm_first=True) for _ in range(l)])
        s.n=nn.LayerNorm(d); s.o=nn.Linear(d,v)
    def forward(s,x):
        m=nn.Transformer.generate_square_subsequent_mask(x.size(1))
        h=s.e(x)+s.p
        for b in s.b: h=b(h,src_mask=m,is_causal=True)
        return s.o(s.n(h))
net=GPT(len(chars)); opt=torch.optim.AdamW(net.parameters(),lr=1.5e-3)
def lr_at(i): return 1.5e-3*0.5*(1+math.cos(math.pi*i/900))
for i in range(620):
    lr=lr_at(i)
    if i>=430: lr=lr_at(i)*60
    for g in opt.param_groups: g['lr']=lr
    p=torch.randint(0,len(data)-33,(12,)); x=torch.stack([data[j:j+32] for j in p]); y=torch.stack([data[j+1:j+33] for j in p])
    loss=nn.functional.cross_entropy(net(x).flatten(0,1),y.flatten())
    opt.zero_grad(); loss.backward(); nn.utils.clip_grad_norm_(net.parameters(),1.0); opt.step()
    if i%50==0: print(i,loss.item())
