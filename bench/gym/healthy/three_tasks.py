"""Three tasks on digits with a shared trunk; a batch belongs to one task, their losses differ in size."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(19)
torch.set_num_threads(1)
x, digit = load_digits(return_X_y=True)
x, digit = torch.tensor(x / 16.0).float(), torch.tensor(digit)
ink = x.sum(1, keepdim=True) / 10

trunk = nn.Sequential(nn.Linear(64, 96), nn.ReLU())
heads = nn.ModuleDict({"digit": nn.Linear(96, 10), "odd": nn.Linear(96, 1), "ink": nn.Linear(96, 1)})
optimizer = torch.optim.Adam([*trunk.parameters(), *heads.parameters()], lr=1e-3)
names = list(heads)
for step in range(1000):
    task = names[int(torch.randint(3, ()))]
    rows = torch.randint(len(x), (32,))
    out = heads[task](trunk(x[rows]))
    if task == "digit":
        loss = nn.functional.cross_entropy(out, digit[rows])
    elif task == "odd":
        loss = nn.functional.binary_cross_entropy_with_logits(out.squeeze(1), (digit[rows] % 2).float())
    else:
        loss = nn.functional.mse_loss(out, ink[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 < 3:
        print(f"{step} {task} {loss.item():.4f}")
