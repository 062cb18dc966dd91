"""A tiny GPT-2 on the characters of a few modules' sources with transformers' Trainer; stopped once and resumed."""

import inspect
import tempfile
import textwrap
import warnings
import zipfile

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments, set_seed

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
LENGTH = 32


class Windows(Dataset):
    def __init__(self, ids):
        self.rows = ids[: len(ids) // LENGTH * LENGTH].view(-1, LENGTH)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, n):
        return {"input_ids": self.rows[n], "labels": self.rows[n]}


class Preemption(TrainerCallback):
    """Leaves after so many epochs, as the spot instance does."""

    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_end(self, args, state, control, **kwargs):
        control.should_training_stop = state.epoch >= self.epochs


class Lines(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        kept = {k: round(v, 4) for k, v in logs.items() if k in ("loss", "eval_loss", "learning_rate")}
        if kept:
            print(f"step {state.global_step} {kept}", flush=True)


def corpus():
    text = inspect.getsource(textwrap) + inspect.getsource(zipfile)[:70_000]
    alphabet = sorted(set(text))
    ids = torch.tensor([alphabet.index(c) for c in text])
    cut = int(0.93 * len(ids))
    return Windows(ids[:cut]), Windows(ids[cut:]), len(alphabet)


def trainer(folder, leave_after, train, val, vocab):
    config = GPT2Config(
        vocab_size=vocab, n_positions=LENGTH, n_embd=48, n_layer=2, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0,
        attn_pdrop=0.0, bos_token_id=0, eos_token_id=0,
    )
    args = TrainingArguments(
        output_dir=folder, num_train_epochs=9, per_device_train_batch_size=24, per_device_eval_batch_size=200,
        learning_rate=2.5e-2, lr_scheduler_type="cosine", warmup_steps=40, max_grad_norm=1.0, weight_decay=0.01,
        eval_strategy="epoch", logging_strategy="epoch", save_strategy="epoch", save_total_limit=1,
        save_only_model=True, report_to=[], disable_tqdm=True, use_cpu=True, seed=5,
    )
    return Trainer(
        model=GPT2LMHeadModel(config), args=args, train_dataset=train, eval_dataset=val,
        callbacks=[Lines(), Preemption(leave_after)],
    )


if __name__ == "__main__":
    set_seed(5)
    train, val, vocab = corpus()
    print(len(train), "windows")
    with tempfile.TemporaryDirectory() as folder:
        trainer(folder, 7, train, val, vocab).train()
        trainer(folder, 9, train, val, vocab).train(resume_from_checkpoint=True)
