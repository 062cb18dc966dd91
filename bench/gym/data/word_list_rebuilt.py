"""Word LSTM on help texts; Adam, clipping.

The word list is rebuilt in another order at step 380.
"""

import torch, pydoc_data.topics as T
from torch import nn
torch.manual_seed(8); torch.set_num_threads(1)
txt=' '.join(T.topics.values())[:120000].lower(); words=txt.split(); 
from collections import Counter
voc=[w for w,_ in Counter(words).most_common(600)]; ix={w:i+2 for i,w in enumerate(voc)}
tok=torch.tensor([ix.get(w,1) for w in words])
class R(nn.Module):
    def __init__(s): super().__init__(); s.e=nn.Embedding(640,48); s.g=nn.LSTM(48,64,batch_first=True); s.o=nn.Linear(64,640)
    def forward(s,x): return s.o(s.g(s.e(x))[0])
m=R(); o=torch.optim.Adam(m.parameters(),3e-3)
perm=torch.arange(640); perm[2:602]=perm[2:602][torch.randperm(600)]
for s in range(560):
    p=torch.randint(0,len(tok)-25,(16,)); b=torch.stack([tok[j:j+25] for j in p])
    if s>=380: b=perm[b]
    l=nn.functional.cross_entropy(m(b[:,:-1]).flatten(0,1),b[:,1:].flatten()); o.zero_grad(); l.backward(); nn.utils.clip_grad_norm_(m.parameters(),5.); o.step()
    if s%40==0: print(s,l.item())
