"""The training daemon reads its settings again every 200 steps."""

import json
import tempfile
from pathlib import Path

import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(28)
torch.set_num_threads(1)
settings = Path(tempfile.mkdtemp()) / "settings.json"
settings.write_text(json.dumps({"lr": 0.01}))
x, y = load_diabetes(return_X_y=True)
x = torch.tensor(x / x.std(0), dtype=torch.float32)
y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
net = nn.Sequential(nn.Linear(10, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for step in range(800):
    if step % 200 == 0:
        opt.param_groups[0]["lr"] = json.loads(settings.read_text())["lr"]
    if step == 500:
        settings.write_text(json.dumps({"lr": 0.35}))
    rows = torch.randint(400, (32,))
    loss = nn.functional.mse_loss(net(x[rows]).squeeze(1), y[rows])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 40 == 0:
        print(step, loss.item())
