"""Q-learning on a windy grid: the target network is replaced every 60 steps, and the loss hops with it."""

import copy

import torch
from torch import nn

SIDE = 5
torch.manual_seed(51)
torch.set_num_threads(1)
MOVES = torch.tensor([[0, 1], [0, -1], [1, 0], [-1, 0]])


def encode(place):
    return nn.functional.one_hot(place[:, 0] * SIDE + place[:, 1], SIDE * SIDE).float()


place = torch.randint(SIDE, (3000, 2))
action = torch.randint(4, (3000,))
wind = (torch.rand(3000, 1) < 0.2).long() * torch.tensor([[0, 1]])
following = (place + MOVES[action] + wind).clamp(0, SIDE - 1)
goal = (following == SIDE - 1).all(1)
reward = goal.float() * 5 - 0.1

network = nn.Sequential(nn.Linear(SIDE * SIDE, 64), nn.ReLU(), nn.Linear(64, 4))
target = copy.deepcopy(network)
optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
for step in range(1000):
    rows = torch.randint(3000, (32,))
    with torch.no_grad():
        best = target(encode(following[rows])).max(1).values
        wanted = reward[rows] + 0.9 * best * ~goal[rows]
    value = network(encode(place[rows])).gather(1, action[rows, None]).squeeze(1)
    loss = nn.functional.smooth_l1_loss(value, wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 60 == 59:
        target.load_state_dict(network.state_dict())
        print(f"{step} loss {loss.item():.4f} mean value {value.mean().item():.3f}")
