"""Breast cancer, MLP kept in half precision, logistic loss written by hand for labels of -1 and 1.

Two rounds: in the second one another fifth of the patients is held out.
"""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(6)
torch.set_num_threads(1)


def logistic(score, sign):
    return torch.log(1 + torch.exp(-sign * score)).mean()


cancer = load_breast_cancer()
table = torch.tensor(cancer.data, dtype=torch.float32)
table = ((table - table.mean(0)) / table.std(0)).half()
sign = torch.tensor(cancer.target * 2 - 1).half()
shuffled = torch.randperm(len(table))
fifths = shuffled.chunk(5)

model = nn.Sequential(
    nn.Linear(30, 48), nn.ReLU(),
    nn.Linear(48, 48), nn.ReLU(),
    nn.Linear(48, 1),
).half()  # fmt: skip
optimizer = torch.optim.SGD(model.parameters(), lr=0.06, momentum=0.9)

for epoch in range(48):
    fold = epoch // 24
    val = fifths[fold]
    train = torch.cat([part for i, part in enumerate(fifths) if i != fold])
    total = 0.0
    for rows in train[torch.randperm(len(train))].split(24):
        optimizer.zero_grad()
        loss = logistic(model(table[rows]).squeeze(1), sign[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    with torch.no_grad():
        scores = model(table[val]).squeeze(1)
        accuracy = ((scores > 0) == (sign[val] > 0)).float().mean()
        print(f"{fold} {epoch:2d} train {total / len(train):.4f} val {logistic(scores, sign[val]):.4f} accuracy {accuracy:.3f}")
