"""Anomaly detector on two noisy measurements of tumours, logistic MLP, Adam.

Screening data hold 5 % of malignant cases. The clinic's data that follow hold 50 %.
"""

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

EPOCHS = 30
CLINIC_FROM = 20
STEPS_PER_EPOCH = 30
BATCH = 64

torch.manual_seed(13)
torch.set_num_threads(1)
rng = np.random.default_rng(13)
data = load_breast_cancer()
columns = [list(data.feature_names).index(name) for name in ("mean texture", "mean smoothness", "mean symmetry")]
x = torch.tensor((data.data - data.data.mean(0))[:, columns] / data.data.std(0)[columns], dtype=torch.float32)
malignant = np.flatnonzero(data.target == 0)
benign = np.flatnonzero(data.target == 1)
rng.shuffle(malignant)
rng.shuffle(benign)


def batch(share, ill, well):
    positives = rng.binomial(BATCH, share)
    rows = np.concatenate([rng.choice(ill, positives), rng.choice(well, BATCH - positives)])
    target = np.zeros(BATCH, dtype=np.int64)
    target[:positives] = 1
    order = rng.permutation(BATCH)
    return x[rows[order]], torch.tensor(target[order])


model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(EPOCHS):
    share = 0.5 if epoch >= CLINIC_FROM else 0.05
    model.train()
    for _ in range(STEPS_PER_EPOCH):
        features, target = batch(share, malignant[:150], benign[:250])
        loss = criterion(model(features), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        losses = [criterion(model(f), t).item() for f, t in (batch(share, malignant[150:], benign[250:]) for _ in range(4))]
    print(f"epoch {epoch}: loss {loss.item():.3f}, validation {np.mean(losses):.3f}")
