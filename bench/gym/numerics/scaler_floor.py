"""CNN on digits with autocast and a gradient scaler, as on the GPU box."""

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(8)
torch.set_num_threads(1)
digits = load_digits()
x = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
y = torch.tensor(digits.target)
net = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
    nn.Flatten(), nn.Linear(24 * 16, 10),
)
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**14, growth_interval=50)
for step in range(700):
    rows = torch.randint(1500, (32,))
    images = x[rows]
    if step >= 380:
        images = images * 4000.0  # read as 16 bit from the new archive
    opt.zero_grad()
    with torch.autocast("cpu", dtype=torch.float16):
        logits = net(images)
        loss = nn.functional.cross_entropy(logits, y[rows])
    scaler.scale(loss).backward()
    scaler.step(opt)
    scaler.update()
    if step % 35 == 0:
        print(step, loss.item(), scaler.get_scale())
