"""Find a digit on a canvas: box regression with log width and height, CNN, AdamW.

A crop augmentation that is switched on later cuts some boxes down to nothing, and nobody drops them.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

EPOCHS = 14
CROP_FROM = 9
SAMPLES = 1200
BATCH = 24
SIDE = 20


class Scenes(Dataset):
    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        digits = load_digits().images / 16
        self.images = np.zeros((SAMPLES, 1, SIDE, SIDE), dtype=np.float32)
        self.boxes = np.zeros((SAMPLES, 4), dtype=np.float32)
        for index in range(SAMPLES):
            top, left = rng.integers(0, SIDE - 8, 2)
            height, width = rng.integers(4, 9, 2)
            patch = digits[rng.integers(len(digits))][:height, :width]
            self.images[index, 0, top : top + height, left : left + width] = patch
            self.boxes[index] = left, top, left + width, top + height
        self.crop = 0

    def __len__(self):
        return SAMPLES

    def __getitem__(self, index):
        image, box = self.images[index], self.boxes[index]
        if self.crop:
            image = image.copy()
            image[:, :, -self.crop :] = 0
            box = box.clip(0, [SIDE - self.crop, SIDE, SIDE - self.crop, SIDE]).astype(np.float32)
        return image, box


def encode(box):
    left, top, right, bottom = box.unbind(1)
    width, height = right - left, bottom - top
    centre = torch.stack([(left + right) / 2, (top + bottom) / 2], 1) / SIDE
    return torch.cat([centre, torch.log(torch.stack([width, height], 1) / 8)], 1)


def main():
    torch.manual_seed(14)
    torch.set_num_threads(1)
    scenes = Scenes(14)
    loader = DataLoader(scenes, BATCH, shuffle=True)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 36, 64),
        nn.ReLU(),
        nn.Linear(64, 4),
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for epoch in range(EPOCHS):
        if epoch == CROP_FROM:
            scenes.crop = 9
        for image, box in loader:
            optimizer.zero_grad()
            loss = nn.functional.smooth_l1_loss(model(image), encode(box))
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} box loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
