"""Forward kinematics of a planar arm with four joints: an MLP trained coarse and then fine, in mixed precision."""

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(21)

STAGES = [
    dict(name="coarse", epochs=20, batch=64, clip=None),
    dict(name="fine", epochs=14, batch=64, clip=10.0),
]
LINKS = torch.tensor([1.0, 0.8, 0.5, 0.3])

angles = (torch.rand(2000, 4) - 0.5) * 3
heading = angles.cumsum(1)
position = torch.stack([(LINKS * heading.cos()).sum(1), (LINKS * heading.sin()).sum(1)], 1)
fit, held = torch.arange(1664), torch.arange(1664, 2000)

model = nn.Sequential(nn.Linear(4, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 2))
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
scaler = torch.amp.GradScaler("cpu", init_scale=8192.0)


def batch_loss(rows):
    with torch.autocast("cpu", torch.float16):
        prediction = model(angles[rows])
    return nn.functional.smooth_l1_loss(prediction.float(), position[rows])


def plain_update(loss):
    scaler.scale(loss).backward()
    scaler.step(opt)
    scaler.update()


def clipped_update(loss, limit):
    scaler.scale(loss).backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), limit)
    if torch.isfinite(norm):
        opt.step()


for stage in STAGES:
    for epoch in range(stage["epochs"]):
        seen = 0.0
        for rows in fit[torch.randperm(len(fit))].split(stage["batch"]):
            opt.zero_grad()
            loss = batch_loss(rows)
            if stage["clip"]:
                clipped_update(loss, stage["clip"])
            else:
                plain_update(loss)
            seen += loss.item() * len(rows)
        with torch.no_grad():
            val = batch_loss(held).item()
        print(f"{stage['name']} {epoch}: train {seen / len(fit):.4f} val {val:.4f}")
