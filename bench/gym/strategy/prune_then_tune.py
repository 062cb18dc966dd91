"""Wine, breast cancer and iris by one script: train an MLP dense, prune most of it, train the rest on."""

import torch
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.preprocessing import scale
from torch import nn
from torch.nn.utils import prune

TASKS = {"cancer": load_breast_cancer, "wine": load_wine, "iris": load_iris}
SCHEDULE = {"dense": 30, "sparse": 24}
AMOUNT = 0.93


def load(task):
    data = TASKS[task]()
    order = torch.randperm(len(data.target))
    x = torch.tensor(scale(data.data), dtype=torch.float32)[order]
    y = torch.tensor(data.target)[order]
    cut = len(y) * 4 // 5
    return x[:cut], y[:cut], x[cut:], y[cut:]


def epoch_of(model, optimizer, x, y, batch=32):
    total = 0.0
    for rows in torch.randperm(len(x)).split(batch):
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(x)


def report(stage, epoch, model, train, vx, vy):
    with torch.no_grad():
        val = nn.functional.cross_entropy(model(vx), vy).item()
    kept = sum(int((m.weight != 0).sum()) for m in model if isinstance(m, nn.Linear))
    print(f"{stage} {epoch}: train {train:.4f} val {val:.4f} ({kept} weights)")


def main(task="cancer"):
    torch.set_num_threads(1)
    torch.manual_seed(11)
    x, y, vx, vy = load(task)
    model = nn.Sequential(
        nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, int(y.max()) + 1)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=2e-3)
    for epoch in range(SCHEDULE["dense"]):
        report("dense", epoch, model, epoch_of(model, optimizer, x, y), vx, vy)
    layers = [(m, "weight") for m in model if isinstance(m, nn.Linear)]
    prune.global_unstructured(layers, pruning_method=prune.L1Unstructured, amount=AMOUNT)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.002, momentum=0.9)
    for epoch in range(SCHEDULE["sparse"]):
        report("sparse", epoch, model, epoch_of(model, optimizer, x, y), vx, vy)


if __name__ == "__main__":
    main()
