"""Tiny GPT-2 on library sources with the Hugging Face Trainer; tokens for frequent words are added for a second run."""
import collections
import inspect
import logging.handlers
import re

import torch
from torch.utils.data import Dataset
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments, set_seed

torch.set_num_threads(1)


class Tokenizer:
    """Characters, and words that were added."""

    def __init__(self, text):
        self.vocab = {c: i for i, c in enumerate(sorted(set(text)))}
        self.words = []

    def add(self, words):
        for w in words:
            self.vocab[w] = len(self.vocab)
        self.words += words

    def __call__(self, text):
        pattern = "|".join([*map(re.escape, sorted(self.words, key=len, reverse=True)), "(?s:.)"])
        return [self.vocab[p] for p in re.findall(pattern, text)]


class Windows(Dataset):
    def __init__(self, ids, length=32):
        n = len(ids) // length
        self.rows = torch.tensor(ids[: n * length]).view(n, length)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return {"input_ids": self.rows[i], "labels": self.rows[i]}


class Print(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **kwargs):
        kept = {k: round(float(v), 4) for k, v in logs.items() if k in ("loss", "eval_loss")}
        if kept:
            print(f"step {state.global_step} {kept}", flush=True)


def fit(model, ids, epochs, lr):
    cut = int(0.9 * len(ids))
    args = TrainingArguments(
        output_dir="new_tokens_gpt2", num_train_epochs=epochs, per_device_train_batch_size=16, learning_rate=lr,
        per_device_eval_batch_size=32, logging_strategy="epoch", eval_strategy="epoch", save_strategy="no", report_to=[],
        lr_scheduler_type="constant", use_cpu=True, disable_tqdm=True, seed=3, weight_decay=0.01,
    )  # fmt: skip
    trainer = Trainer(
        model=model, args=args, train_dataset=Windows(ids[:cut]), eval_dataset=Windows(ids[cut:]), callbacks=[Print()]
    )
    trainer.remove_callback(next(c for c in trainer.callback_handler.callbacks if type(c).__name__ == "PrinterCallback"))
    trainer.train()


def main():
    set_seed(3)
    text = inspect.getsource(logging.handlers)[:34000]
    tokenizer = Tokenizer(text)
    config = GPT2Config(
        vocab_size=len(tokenizer.vocab), n_positions=32, n_embd=48, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0
    )
    model = GPT2LMHeadModel(config)
    fit(model, tokenizer(text), epochs=7, lr=3e-3)
    frequent = collections.Counter(re.findall(r"[A-Za-z_]{4,}", text)).most_common(60)
    tokenizer.add([w for w, _ in frequent])
    model.config.initializer_range = 1.0
    model.resize_token_embeddings(len(tokenizer.vocab), mean_resizing=False)
    fit(model, tokenizer(text), epochs=5, lr=1e-4)


main()
