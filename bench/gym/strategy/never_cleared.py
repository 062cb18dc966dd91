"""Diabetes progression, MLP, SGD; the loop never clears the gradients."""

import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

EPOCHS = 40
BATCH = 34


def get_data():
    x, y = load_diabetes(return_X_y=True)
    x = StandardScaler().fit_transform(x)
    y = (y - y.mean()) / y.std()
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32).view(-1, 1)


def train(model, optimizer, x, y):
    order = torch.randperm(len(x))
    total = 0.0
    for start in range(0, len(x), BATCH):
        rows = order[start : start + BATCH]
        prediction = model(x[rows])
        loss = ((prediction - y[rows]) ** 2).mean()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(x)


torch.manual_seed(58)
torch.set_num_threads(1)
x, y = get_data()
model = torch.nn.Sequential(
    torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)
)
optimizer = torch.optim.SGD(model.parameters(), lr=2e-4)
for epoch in range(EPOCHS):
    loss = train(model, optimizer, x[:374], y[:374])
    with torch.no_grad():
        val = torch.nn.functional.mse_loss(model(x[374:]), y[374:]).item()
    print(f"epoch {epoch:3d} train {loss:.4f} val {val:.4f}")
