"""REINFORCE with a moving baseline on a corridor: walk right to the goal, noise pushes back."""

import torch
from torch import nn
from torch.distributions import Categorical

LENGTH = 8


def episodes(policy, count=12, limit=30):
    position = torch.zeros(count, dtype=torch.long)
    done = torch.zeros(count, dtype=torch.bool)
    log_probs, rewards = [], []
    for _ in range(limit):
        seen = nn.functional.one_hot(position, LENGTH).float()
        choice = Categorical(logits=policy(seen))
        action = choice.sample()
        slip = torch.rand(count) < 0.15
        move = torch.where((action == 1) ^ slip, 1, -1)
        position = (position + move * ~done).clamp(0, LENGTH - 1)
        arrived = (position == LENGTH - 1) & ~done
        rewards.append(torch.where(arrived, 10.0, -0.3) * ~done)
        log_probs.append(choice.log_prob(action) * ~done)
        done = done | arrived
    return torch.stack(log_probs), torch.stack(rewards)


torch.manual_seed(3)
torch.set_num_threads(1)
policy = nn.Sequential(nn.Linear(LENGTH, 32), nn.Tanh(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
baseline = 0.0
for update in range(400):
    log_probs, rewards = episodes(policy)
    returns = rewards.flip(0).cumsum(0).flip(0)
    baseline = 0.9 * baseline + 0.1 * returns[0].mean().item()
    loss = -(log_probs * (returns - baseline)).sum(0).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if update % 20 == 0:
        print(f"update {update} return {returns[0].mean().item():.2f} loss {loss.item():.3f}")
