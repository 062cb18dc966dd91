"""Digits, small convolutional classifier in Lightning: twelve epochs, then ten more from the last checkpoint."""

import logging
import tempfile
import warnings

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
torch.set_num_threads(1)


class DigitNet(L.LightningModule):
    def __init__(self, width=12, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.4), nn.Linear(8 * width, 64), nn.ReLU(), nn.Dropout(0.4), nn.Linear(64, 10))

    def forward(self, image):
        return self.classifier(self.features(image))

    def training_step(self, batch, index):
        image, label = batch
        loss = nn.functional.cross_entropy(self(image), label)
        self.log("train", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, index):
        image, label = batch
        out = self(image)
        self.log("val", nn.functional.cross_entropy(out, label))
        self.log("acc", (out.argmax(1) == label).float().mean())

    def configure_optimizers(self):
        return torch.optim.RMSprop(self.parameters(), lr=self.hparams.lr, alpha=0.999, momentum=0.9)


class Report(Callback):
    def on_train_epoch_end(self, trainer, module):
        m = {k: float(v) for k, v in trainer.callback_metrics.items()}
        print(f"epoch {trainer.current_epoch:2d} train {m['train']:.4f} val {m['val']:.4f} acc {m['acc']:.3f}", flush=True)


def loaders():
    digits = load_digits()
    x = torch.tensor(digits.images / 8 - 1, dtype=torch.float32)[:, None]
    y = torch.tensor(digits.target)
    train = TensorDataset(x[:1440], y[:1440])
    val = TensorDataset(x[1440:], y[1440:])
    return DataLoader(train, batch_size=32, shuffle=True), DataLoader(val, batch_size=357)


def trainer(epochs, folder):
    return L.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0, callbacks=[Report()], default_root_dir=folder,
    )


def main():
    L.seed_everything(7, verbose=False)
    train, val = loaders()
    with tempfile.TemporaryDirectory() as folder:
        first = trainer(12, folder)
        first.fit(DigitNet(lr=4e-4), train, val)
        path = f"{folder}/last.ckpt"
        first.save_checkpoint(path)

        model = DigitNet.load_from_checkpoint(path)
        trainer(10, folder).fit(model, train, val)


main()
