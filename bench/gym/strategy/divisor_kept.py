"""Photo patches, denoising convolutional network, SGD, micro-batches with a divisor.

The trainer takes the number of micro-batches from a plan and its divisor from the constructor.
"""

import numpy as np
import torch
from sklearn.datasets import load_sample_image
from torch import nn

PLAN = {0: 2, 340: 32}
STEPS = 420
MICRO = 8
SIDE = 12


class Denoiser(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 1, 3, padding=1),
        )

    def forward(self, noisy):
        return noisy - self.net(noisy)


class Trainer:
    def __init__(self, model, photo, micro_batches):
        self.model, self.photo = model, photo
        self.micro_batches = micro_batches
        self.divisor = micro_batches
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.15, momentum=0.9)

    def patches(self):
        top = np.random.randint(0, self.photo.shape[0] - SIDE, MICRO)
        left = np.random.randint(0, self.photo.shape[1] - SIDE, MICRO)
        cut = [self.photo[t : t + SIDE, c : c + SIDE] for t, c in zip(top, left)]
        return torch.from_numpy(np.stack(cut)).unsqueeze(1)

    def step(self):
        self.optimizer.zero_grad()
        total = 0.0
        for _ in range(self.micro_batches):
            clean = self.patches()
            noisy = clean + 0.2 * torch.randn_like(clean)
            loss = nn.functional.mse_loss(self.model(noisy), clean) / self.divisor
            loss.backward()
            total += loss.item()
        self.optimizer.step()
        return total


torch.manual_seed(52)
np.random.seed(52)
torch.set_num_threads(1)
photo = (load_sample_image("flower.jpg").mean(2) / 255).astype(np.float32)
trainer = Trainer(Denoiser(), photo, micro_batches=PLAN[0])
for step in range(STEPS):
    trainer.micro_batches = PLAN.get(step, trainer.micro_batches)
    loss = trainer.step()
    if step % 20 == 0:
        print(f"step {step} loss {loss:.5f}")
