"""Diabetes progression from clinic records, two sites one after the other; the network standardises its inputs itself. EMA weights are validated."""
import copy

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import Callback
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Standardise(nn.Module):
    def __init__(self, columns):
        super().__init__()
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("std", torch.ones(columns))

    def fit(self, x):
        self.mean, self.std = x.mean(0), x.std(0) + 1e-6

    def forward(self, x):
        return (x - self.mean) / self.std


class EMA(Callback):
    def __init__(self, decay=0.98):
        self.decay, self.copy = decay, None

    def on_fit_start(self, trainer, module):
        if self.copy is None:
            self.copy = copy.deepcopy(module.net)

    @torch.no_grad()
    def on_train_batch_end(self, trainer, module, *args):
        for p, q in zip(self.copy.parameters(), module.net.parameters()):
            p.lerp_(q, 1 - self.decay)


class Progression(LightningModule):
    def __init__(self, columns, ema):
        super().__init__()
        self.net = nn.Sequential(Standardise(columns), nn.Linear(columns, 48), nn.SiLU(), nn.Dropout(0.1), nn.Linear(48, 1))
        self.ema, self.losses, self.lr = ema, [], 0.003

    def training_step(self, batch, _):
        x, y = batch
        loss = nn.functional.mse_loss(self.net(x).squeeze(1), y)
        self.losses.append(loss.item())
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        judge = self.ema.copy.eval()
        self.val = nn.functional.mse_loss(judge(x).squeeze(1), y).item()
        self.log("val_loss", self.val)

    def on_train_epoch_end(self):
        print(f"epoch {self.current_epoch:2d} train {sum(self.losses) / len(self.losses):.4f} val {self.val:.4f}")
        self.losses = []

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9, weight_decay=1e-3)


def site(x, y, units):
    x = x * units
    return (TensorDataset(x[:340], y[:340]), TensorDataset(x[340:], y[340:]))


def main():
    seed_everything(18, verbose=False)
    torch.set_num_threads(1)
    raw = load_diabetes(scaled=False)
    x, y = torch.tensor(raw.data, dtype=torch.float32), torch.tensor(raw.target, dtype=torch.float32)
    y = (y - y.mean()) / y.std()
    order = torch.randperm(len(y))
    x, y = x[order], y[order]
    # the second site reports blood values in mmol/l
    units = torch.ones(10)
    units[4:7], units[9] = 1 / 38.67, 1 / 18.0
    ema = EMA()
    module = Progression(10, ema)
    for factor, epochs in ((torch.ones(10), 26), (units, 20)):
        train, val = site(x, y, factor)
        module.net[0].fit(train.tensors[0])
        trainer = Trainer(
            max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=[ema],
            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        )  # fmt: skip
        trainer.fit(module, DataLoader(train, batch_size=20, shuffle=True), DataLoader(val, batch_size=128))


if __name__ == "__main__":
    main()
