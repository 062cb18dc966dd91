"""Mean teacher: 100 labelled digits, consistency with an averaged copy ramps up on the others."""

import copy
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(23)
torch.set_num_threads(1)
x, y = load_digits(return_X_y=True)
order = torch.randperm(len(x))
x, y = torch.tensor(x / 16.0).float()[order], torch.tensor(y)[order]
student = nn.Sequential(nn.Linear(64, 80), nn.ReLU(), nn.Dropout(0.2), nn.Linear(80, 10))
teacher = copy.deepcopy(student).requires_grad_(False)
optimizer = torch.optim.SGD(student.parameters(), lr=0.1, momentum=0.9, nesterov=True)
for step in range(900):
    rows, free = torch.randint(100, (20,)), torch.randint(100, 1500, (60,))
    supervised = F.cross_entropy(student(x[rows]), y[rows])
    weight = 8.0 * math.exp(-5 * (1 - min(1.0, step / 400)) ** 2)
    noisy = x[free] + 0.1 * torch.randn(60, 64)
    consistency = F.mse_loss(student(noisy).softmax(1), teacher(x[free]).softmax(1))
    loss = supervised + weight * consistency
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
            slow.lerp_(fast, 0.01)
    if step % 60 == 0:
        accuracy = (teacher(x[1500:]).argmax(1) == y[1500:]).float().mean()
        print(f"{step} loss {loss.item():.4f} weight {weight:.2f} teacher {accuracy.item():.3f}")
