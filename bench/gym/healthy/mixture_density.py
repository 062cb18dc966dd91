"""Mixture density network on Bishop's inverse problem; a negative log-likelihood that goes below zero."""

import torch
from torch import nn

torch.manual_seed(47)
torch.set_num_threads(1)
t = torch.rand(3000, 1)
x = t + 0.3 * torch.sin(2 * torch.pi * t) + 0.02 * (2 * torch.rand(3000, 1) - 1)
COMPONENTS = 5
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 3 * COMPONENTS))
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
for step in range(1200):
    rows = torch.randint(len(x), (32,))
    logits, mean, log_scale = net(x[rows]).chunk(3, 1)
    parts = torch.distributions.Normal(mean, log_scale.clamp(-4, 2).exp()).log_prob(t[rows])
    loss = -torch.logsumexp(parts + logits.log_softmax(1), 1).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 2.0)
    optimizer.step()
    if step % 60 == 0:
        print(f"step {step} nll {loss.item():.3f}")
