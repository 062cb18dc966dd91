"""Where is the digit's centre of ink? CNN regression with random shifts, SGD with a cosine schedule.

From epoch 15 on images come from a cache, unshifted; the landmark is still shifted by what was drawn.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

EPOCHS = 20
CACHE_FROM = 15
BATCH = 40
CANVAS = 16


class Landmarks(Dataset):
    def __init__(self, images):
        self.canvas = np.zeros((len(images), CANVAS, CANVAS), dtype=np.float32)
        self.canvas[:, 4:12, 4:12] = images / 16
        rows, columns = np.mgrid[:CANVAS, :CANVAS]
        ink = self.canvas.sum((1, 2))
        self.centre = np.stack(
            [(self.canvas * rows).sum((1, 2)) / ink, (self.canvas * columns).sum((1, 2)) / ink], axis=1
        )
        self.cache = None

    def fill_cache(self):
        self.cache = [torch.from_numpy(image)[None] for image in self.canvas]

    def __len__(self):
        return len(self.canvas)

    def __getitem__(self, index):
        shift = np.random.randint(-3, 4, 2)
        if self.cache is not None:
            image = self.cache[index]
        else:
            image = torch.from_numpy(np.roll(self.canvas[index], shift, (0, 1)))[None]
        target = (self.centre[index] + shift) / CANVAS - 0.5
        return image, torch.tensor(target, dtype=torch.float32)


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ELU(), nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ELU()
        )
        self.head = nn.Linear(256, 2)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


def main():
    torch.manual_seed(44)
    np.random.seed(44)
    torch.set_num_threads(1)
    data = Landmarks(load_digits().images[:1200])
    loader = DataLoader(data, BATCH, shuffle=True)
    model = Regressor()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * len(loader))
    criterion = nn.MSELoss()
    for epoch in range(EPOCHS):
        if epoch == CACHE_FROM:
            data.fill_cache()
        for image, centre in loader:
            optimizer.zero_grad()
            loss = criterion(model(image), centre)
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch:2d} loss {loss.item():.5f}")


if __name__ == "__main__":
    main()
