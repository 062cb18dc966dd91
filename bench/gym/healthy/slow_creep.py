"""Digits, softmax regression with heavy momentum; the noise on the inputs grows a little every step."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(33)
torch.set_num_threads(1)
x, y = load_digits(return_X_y=True)
x, y = torch.tensor(x / 16.0).float(), torch.tensor(y)
model = nn.Linear(64, 10)
optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
STEPS = 1400
for step in range(STEPS):
    rows = torch.randint(len(x), (64,))
    strength = 1.6 * max(0.0, step / STEPS - 0.25)
    image = x[rows] + strength * torch.randn(64, 64)
    loss = nn.functional.cross_entropy(model(image), y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, f"noise {strength:.2f}", f"loss {loss.item():.3f}")
