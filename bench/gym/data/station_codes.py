"""Bicycle trips: duration from start station, end station and hour; embeddings and MLP, Adagrad.

Station names become codes by sorting the names of the month. In the month in which "Ahornweg" opens
every code moves by one.
"""

import numpy as np
import torch
from torch import nn

MONTHS = 12
AHORNWEG_OPENS = 9
TRIPS = 2400
BATCH = 48
STATIONS = [f"{street}{kind}" for street in ("Berg", "Dorf", "Feld", "Garten", "Hof", "Linden") for kind in ("strasse", "platz", "weg", "ring")]


def month(number, place, rng):
    names = np.array(STATIONS + (["Ahornweg"] if number >= AHORNWEG_OPENS else []))
    start, end = rng.choice(names, TRIPS), rng.choice(names, TRIPS)
    hour = rng.integers(0, 24, TRIPS)
    distance = np.array([np.linalg.norm(place[a] - place[b]) for a, b in zip(start, end)])
    rush = 1 + 0.3 * np.isin(hour, [7, 8, 17, 18])
    minutes = 2 + 5 * distance * rush + rng.normal(0, 0.4, TRIPS)
    vocabulary, codes = np.unique(np.concatenate([start, end]), return_inverse=True)
    codes = codes.reshape(2, TRIPS).T
    assert len(vocabulary) <= 32
    return torch.tensor(codes), torch.tensor(hour), torch.tensor(minutes, dtype=torch.float32)


class Trips(nn.Module):
    def __init__(self):
        super().__init__()
        self.station = nn.Embedding(32, 8)
        self.hour = nn.Embedding(24, 4)
        self.mlp = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, stations, hour):
        features = torch.cat([self.station(stations).flatten(1), self.hour(hour)], dim=1)
        return self.mlp(features).squeeze(1)


torch.manual_seed(131)
torch.set_num_threads(1)
rng = np.random.default_rng(131)
place = {name: rng.uniform(0, 4, 2) for name in [*STATIONS, "Ahornweg"]}
model = Trips()
optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
loss_function = nn.L1Loss()
for number in range(MONTHS):
    stations, hour, minutes = month(number, place, rng)
    train = slice(0, 2160)
    for _ in range(2):
        for rows in torch.randperm(2160).split(BATCH):
            optimizer.zero_grad()
            loss = loss_function(model(stations[rows], hour[rows]), minutes[rows])
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        val = loss_function(model(stations[2160:], hour[2160:]), minutes[2160:])
    model.train()
    print(f"month {number + 1:2d}: {loss.item():.2f} min, held out {val.item():.2f} min")
