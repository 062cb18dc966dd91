"""Deep Q-learning with a replay buffer on a cart with a pole of our own; the loss grows as episodes get longer."""

import collections
import math
import random

import torch
from torch import nn

GAMMA, BATCH, CAPACITY = 0.97, 64, 6000


class Cart:
    """Cart and pole with Euler steps; an episode ends when the pole falls, the cart leaves, or after 120 steps."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def reset(self):
        self.state = [self.random.uniform(-0.05, 0.05) for _ in range(4)]
        self.age = 0
        return list(self.state)

    def step(self, action):
        x, v, angle, spin = self.state
        force = 10.0 if action else -10.0
        sin, cos = math.sin(angle), math.cos(angle)
        push = (force + 0.05 * spin * spin * sin) / 1.1
        turn = (9.8 * sin - cos * push) / (0.5 * (4 / 3 - 0.1 * cos * cos / 1.1))
        shift = push - 0.05 * turn * cos / 1.1
        self.state = [x + 0.02 * v, v + 0.02 * shift, angle + 0.02 * spin, spin + 0.02 * turn]
        self.age += 1
        fallen = abs(self.state[0]) > 2.4 or abs(self.state[2]) > 0.21
        return list(self.state), 1.0, fallen, fallen or self.age >= 120


def q_network():
    return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


class Learner:
    def __init__(self):
        self.q, self.slow = q_network(), q_network()
        self.slow.load_state_dict(self.q.state_dict())
        self.optimizer = torch.optim.Adam(self.q.parameters(), lr=1e-3)
        self.memory = collections.deque(maxlen=CAPACITY)

    def act(self, state, chance):
        if random.random() < chance:
            return random.randrange(2)
        with torch.no_grad():
            return int(self.q(torch.tensor(state)).argmax())

    def learn(self):
        state, action, reward, after, fallen = zip(*random.sample(self.memory, BATCH))
        with torch.no_grad():
            future = self.slow(torch.tensor(after)).amax(1) * (1 - torch.tensor(fallen).float())
        target = torch.tensor(reward) + GAMMA * future
        guess = self.q(torch.tensor(state)).gather(1, torch.tensor(action)[:, None]).squeeze(1)
        loss = nn.functional.smooth_l1_loss(guess, target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(self.slow.parameters(), self.q.parameters()):
                slow.lerp_(fast, 0.02)
        return loss.item()


def main():
    torch.set_num_threads(1)
    torch.manual_seed(55)
    random.seed(55)
    cart, learner = Cart(5), Learner()
    state, lengths, losses = cart.reset(), [], []
    for tick in range(5200):
        action = learner.act(state, max(0.05, 1 - tick / 2500))
        after, reward, fallen, done = cart.step(action)
        learner.memory.append((state, action, reward, after, fallen))
        state = after
        if done:
            lengths.append(cart.age)
            state = cart.reset()
        if tick >= 400 and tick % 4 == 0:
            losses.append(learner.learn())
            if len(losses) % 60 == 0:
                recent = lengths[-10:]
                print(f"{len(losses)} updates: loss {sum(losses[-60:]) / 60:.4f} length {sum(recent) / len(recent):.0f}")


main()
