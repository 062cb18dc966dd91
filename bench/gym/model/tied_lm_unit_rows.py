"""Next-character model with tied embeddings (GRU body) on the text of docstrings.

Rows of the embedding table are pulled softly towards one norm from some epoch on, so that no character dominates the tied output.
"""
import builtins
import torch
from torch import nn


def corpus():
    parts = []
    for name in sorted(dir(builtins)):
        doc = getattr(getattr(builtins, name), "__doc__", None)
        if isinstance(doc, str):
            parts.append(doc)
    return "\n".join(parts)


class TiedGRU(nn.Module):
    def __init__(self, vocab, width=64):
        super().__init__()
        self.table = nn.Embedding(vocab, width)
        nn.init.normal_(self.table.weight, std=width**-0.5)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocab))

    def forward(self, ids):
        h, _ = self.gru(self.table(ids) * self.table.embedding_dim**0.5)
        return self.norm(h) @ self.table.weight.T + self.bias


class Trainer:
    def __init__(self, text, seq=48, batch=16, pull_from=9):
        self.chars = sorted(set(text))
        lookup = {c: i for i, c in enumerate(self.chars)}
        ids = torch.tensor([lookup[c] for c in text])
        cut = int(len(ids) * 0.9)
        self.train_ids, self.val_ids = ids[:cut], ids[cut:]
        self.seq, self.batch, self.pull_from = seq, batch, pull_from
        self.model = TiedGRU(len(self.chars))
        self.opt = torch.optim.Adam(self.model.parameters(), lr=2e-3, betas=(0.9, 0.98))
        self.lossfn = nn.CrossEntropyLoss()

    def windows(self, ids, n):
        start = torch.randint(0, len(ids) - self.seq - 1, (n,)).tolist()
        block = torch.stack([ids[s : s + self.seq + 1] for s in start])
        return block[:, :-1], block[:, 1:]

    @torch.no_grad()
    def pull_rows(self, strength=0.003):
        w = self.model.table.weight
        target = w.norm()
        w.lerp_(w * target / w.norm(dim=1, keepdim=True), strength)

    def loss(self, x, y):
        return self.lossfn(self.model(x).transpose(1, 2), y)

    def fit(self, epochs, steps=40):
        for epoch in range(1, epochs + 1):
            self.model.train()
            total = 0.0
            for _ in range(steps):
                loss = self.loss(*self.windows(self.train_ids, self.batch))
                self.opt.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
                self.opt.step()
                if epoch >= self.pull_from:
                    self.pull_rows()
                total += loss.item()
            self.model.eval()
            with torch.no_grad():
                val = self.loss(*self.windows(self.val_ids, 128)).item()
            print(f"epoch {epoch:3d} train {total / steps:.4f} val {val:.4f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(31)
    Trainer(corpus()).fit(18)
