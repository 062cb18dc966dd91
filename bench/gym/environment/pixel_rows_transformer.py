"""Digits as eight tokens of one pixel row each, transformer encoder, AdamW; a second job goes on with a lower rate."""

import argparse
import subprocess
import sys

import torch
from sklearn.datasets import load_digits
from torch import nn


def get_parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=13)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--parallel", action="store_true", help="spread the encoder over all devices")
    parser.add_argument("--load")
    parser.add_argument("--save", default="rows.pt")
    parser.add_argument("--pipeline", action="store_true", help="run both jobs one after the other")
    return parser


class RowTransformer(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.lift = nn.Linear(8, dim)
        self.place = nn.Parameter(0.02 * torch.randn(8, dim))
        layer = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.05, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 10))

    def forward(self, rows):
        return self.head(self.encoder(self.lift(rows) + self.place).mean(1))


def loop(args):
    torch.manual_seed(8)
    torch.set_num_threads(1)
    digits = load_digits()
    x = torch.tensor(digits.images / 8 - 1, dtype=torch.float32)
    y = torch.tensor(digits.target)
    train, val = slice(0, 1500), slice(1500, None)

    model = RowTransformer()
    if args.parallel:
        model.encoder = nn.DataParallel(model.encoder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.05)
    start = 0
    if args.load:
        state = torch.load(args.load)
        model.load_state_dict(state["model"], strict=False)
        optimizer.load_state_dict(state["optimizer"])
        for group in optimizer.param_groups:
            group["lr"] = args.lr
        start = state["epoch"]
        print(f"loaded {args.load}, epoch {start}", flush=True)

    for epoch in range(start, args.epochs):
        model.train()
        losses = []
        for rows in torch.randperm(1500).split(32):
            loss = nn.functional.cross_entropy(model(x[train][rows]), y[train][rows], label_smoothing=0.02)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            held = nn.functional.cross_entropy(model(x[val]), y[val])
        print(f"{epoch:3d} {sum(losses) / len(losses):.3f} {held.item():.3f}", flush=True)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": args.epochs}, args.save)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        me = [sys.executable, __file__]
        subprocess.run([*me, "--parallel", "--epochs", "10"], check=True)
        subprocess.run([*me, "--load", "rows.pt", "--epochs", "16", "--lr", "3e-4"], check=True)
    else:
        loop(get_parser().parse_args())
