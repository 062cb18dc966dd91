"""Diabetes progression with its uncertainty: a small net in the Hugging Face Trainer that predicts mean and spread."""

import torch
from sklearn.datasets import load_diabetes
from torch import nn
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, set_seed


class DensityNet(nn.Module):
    def __init__(self, inputs=10, width=96):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.mean = nn.Linear(width, 1)
        self.variance = nn.Linear(width, 1)
        nn.init.constant_(self.variance.bias, 1.0)

    def forward(self, features, labels):
        h = self.body(features)
        mean, variance = self.mean(h).squeeze(-1), self.variance(h).squeeze(-1)
        deviation = variance.sqrt()
        loss = (torch.log(deviation) + 0.5 * ((labels - mean) / deviation) ** 2).mean()
        return {"loss": loss, "logits": mean}


class Table(torch.utils.data.Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, row):
        return {"features": self.x[row], "labels": self.y[row]}


class PrintLoss(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        if logs and "loss" in logs:
            print(f"epoch {state.epoch:.0f} step {state.global_step} loss {float(logs['loss']):.4f}")


def main():
    torch.set_num_threads(1)
    set_seed(7)
    data = load_diabetes()
    x = torch.tensor(data.data, dtype=torch.float32) * 12
    y = torch.tensor((data.target - 152) / 77, dtype=torch.float32)
    arguments = TrainingArguments(
        output_dir="density",
        num_train_epochs=70,
        per_device_train_batch_size=32,
        learning_rate=7e-5,
        lr_scheduler_type="constant",
        logging_strategy="epoch",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = Trainer(DensityNet(), arguments, train_dataset=Table(x[:384], y[:384]))
    trainer.pop_callback("PrinterCallback")
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(PrintLoss())
    trainer.train()


if __name__ == "__main__":
    main()
