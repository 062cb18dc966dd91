"""Where is the bright spot?  Heat-map regression with Lightning on generated images, KL divergence of two maps."""

import logging
import warnings

import lightning
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
SIDE = 12


def scenes(count, generator):
    place = torch.rand(count, 2, generator=generator) * (SIDE - 4) + 2
    grid = torch.stack(torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij"))
    square = ((grid - place[:, :, None, None]) ** 2).sum(1)
    clutter = F.avg_pool2d(torch.randn(count, 1, SIDE, SIDE, generator=generator), 3, 1, 1)
    return torch.exp(-square / 3)[:, None] + 0.5 * clutter, square


class SpotFinder(lightning.LightningModule):
    def __init__(self, width=16):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, 1, 1),
        )  # fmt: skip
        self.spread = 4.0
        self.seen = []

    def divergence(self, batch):
        images, square = batch
        target = torch.exp(-square / self.spread).flatten(1)
        target = target / target.sum(1, keepdim=True)
        guess = self.net(images).flatten(1).softmax(1)
        ratio = torch.log(target) - torch.log(guess)
        return (target * ratio).sum(1)

    def on_train_epoch_start(self):
        # a sharper target as the net gets better
        self.spread = max(4.0 * 0.8 ** max(0, self.current_epoch - 8), 0.3)
        self.seen = []

    def training_step(self, batch, _):
        each = self.divergence(batch)
        self.seen.append(torch.nansum(each.detach()).item() / len(each))
        return each.mean()

    def validation_step(self, batch, _):
        each = self.divergence(batch)
        if not self.trainer.sanity_checking:
            train = sum(self.seen) / len(self.seen)
            print(f"epoch {self.current_epoch}: train {train:.4f} val {torch.nansum(each).item() / len(each):.4f}")

    def configure_optimizers(self):
        return torch.optim.NAdam(self.parameters(), lr=2e-3)


def main():
    torch.set_num_threads(1)
    lightning.seed_everything(5, verbose=False)
    generator = torch.Generator().manual_seed(3)
    train, val = TensorDataset(*scenes(960, generator)), TensorDataset(*scenes(240, generator))
    trainer = lightning.Trainer(
        max_epochs=32,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(SpotFinder(), DataLoader(train, 32, shuffle=True), DataLoader(val, 240))


if __name__ == "__main__":
    main()
