"""Matrix factorisation with a small tower on generated ratings; later epochs run under bfloat16 autocast with a loss scale."""
import numpy as np
import torch
from torch import nn


def ratings(users=300, items=200, n=16000, seed=0):
    rng = np.random.default_rng(seed)
    u_lat, i_lat = rng.standard_normal((users, 4)), rng.standard_normal((items, 4))
    u, i = rng.integers(0, users, n), (items * rng.power(3, n)).astype(int)
    r = (u_lat[u] * i_lat[i]).sum(1) / 2 + 0.2 * rng.standard_normal(n)
    return torch.tensor(u), torch.tensor(i), torch.tensor(r, dtype=torch.float32)


class TwoTower(nn.Module):
    def __init__(self, users, items, dim=16):
        super().__init__()
        self.users = nn.Embedding(users, dim, sparse=True)
        self.items = nn.Embedding(items, dim, sparse=True)
        self.tower = nn.Sequential(nn.Linear(3 * dim, 48), nn.ReLU(), nn.Linear(48, 1))

    def forward(self, u, i):
        a, b = torch.tanh(self.users(u)), torch.tanh(self.items(i))
        return self.tower(torch.cat([a, b, a * b], 1)).squeeze(1)


class Trainer:
    def __init__(self, model, data, batch=250):
        self.model = model
        self.data, self.batch = data, batch
        self.dense = torch.optim.Adam(model.tower.parameters(), lr=2e-3)
        self.scaler = torch.amp.GradScaler("cpu", enabled=False)
        self.sparse = torch.optim.SGD([*model.users.parameters(), *model.items.parameters()], lr=40.0)

    def epoch(self, amp):
        u, i, r = self.data
        losses = []
        if amp and not self.scaler.is_enabled():
            self.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
        for rows in torch.randperm(len(u)).split(self.batch):
            self.dense.zero_grad()
            self.sparse.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=amp):
                out = self.model(u[rows], i[rows])
            loss = nn.functional.mse_loss(out.float(), r[rows])
            self.scaler.scale(loss).backward()
            self.scaler.unscale_(self.dense)
            nn.utils.clip_grad_norm_(self.model.tower.parameters(), 1.0)
            self.sparse.step()
            self.scaler.step(self.dense)
            self.scaler.update()
            losses.append(loss.item())
        return sum(losses) / len(losses)


torch.manual_seed(19)
torch.set_num_threads(1)
u, i, r = ratings()
train, held = [t[:14000] for t in (u, i, r)], [t[14000:] for t in (u, i, r)]
trainer = Trainer(TwoTower(300, 200), train)
for epoch in range(11):
    mean = trainer.epoch(amp=epoch >= 8)
    with torch.no_grad():
        v = nn.functional.mse_loss(trainer.model(held[0], held[1]), held[2]).item()
    print(f"{epoch}\ttrain {mean:.4f}\tval {v:.4f}")
