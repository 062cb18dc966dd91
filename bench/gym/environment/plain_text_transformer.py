"""Causal character transformer with RMS norms on the standard library's help; a first run and its continuation.

The continuation runs in this month's image and at a lower rate. Usage: plain_text_transformer.py [config as JSON]
"""

import json
import subprocess
import sys

import normkit
import torch
import torch.nn.functional as F
from pydoc_data.topics import topics
from torch import nn

RUNS = [
    {"image": "2024-05", "lr": 4e-3, "epochs": 8, "out": "lm-a.pt"},
    {"image": "2024-06", "lr": 3e-4, "epochs": 4, "init": "lm-a.pt", "out": "lm-b.pt"},
]
IMAGES = {"2024-05": {"normkit": "0.9"}, "2024-06": {"normkit": "1.0"}}
CONTEXT, BATCH, PER_EPOCH, DIM = 32, 14, 60, 40


class Layer(nn.Module):
    def __init__(self, norms):
        super().__init__()
        self.n1, self.n2 = norms.RMSNorm(DIM), norms.RMSNorm(DIM)
        self.qkv, self.out = nn.Linear(DIM, 3 * DIM, bias=False), nn.Linear(DIM, DIM, bias=False)
        self.up, self.down = nn.Linear(DIM, 4 * DIM), nn.Linear(2 * DIM, DIM)

    def forward(self, h):
        b, t, _ = h.shape
        q, k, v = (z.view(b, t, 4, -1).transpose(1, 2) for z in self.qkv(self.n1(h)).chunk(3, -1))
        h = h + self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, -1))
        gate, value = self.up(self.n2(h)).chunk(2, -1)
        return h + self.down(F.silu(gate) * value)


class CharTransformer(nn.Module):
    def __init__(self, vocab, norms):
        super().__init__()
        self.embed, self.place = nn.Embedding(vocab, DIM), nn.Embedding(CONTEXT, DIM)
        self.layers = nn.ModuleList(Layer(norms) for _ in range(2))
        self.norm = norms.RMSNorm(DIM)
        self.bias = nn.Parameter(torch.zeros(vocab))
        nn.init.normal_(self.embed.weight, std=0.1)

    def forward(self, x):
        h = self.embed(x) + self.place.weight * 0.1
        for layer in self.layers:
            h = layer(h)
        return self.norm(h) @ self.embed.weight.T + self.bias


def corpus():
    text = "\n".join(topics[k] for k in ("class", "exprlists", "compound", "function", "import", "specialnames"))
    alphabet = sorted(set(text))
    return torch.tensor([alphabet.index(c) for c in text[:70_000]]), len(alphabet)


def run(config):
    torch.set_num_threads(1)
    torch.manual_seed(22)
    ids, vocab = corpus()
    train, held = ids[:-4000], ids[-4000:]
    held = held[: 4000 // (CONTEXT + 1) * (CONTEXT + 1)].view(-1, CONTEXT + 1)
    model = CharTransformer(vocab, normkit.use(IMAGES[config["image"]]["normkit"]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["lr"], betas=(0.9, 0.98), weight_decay=0.02)
    done = 0
    if "init" in config:
        state = torch.load(config["init"])
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        optimizer.param_groups[0]["lr"] = config["lr"]
        done = state["epochs"]
    for epoch in range(done, done + config["epochs"]):
        draw = torch.Generator().manual_seed(epoch)
        total = 0.0
        for _ in range(PER_EPOCH):
            at = torch.randint(len(train) - CONTEXT - 1, (BATCH, 1), generator=draw)
            seq = train[at + torch.arange(CONTEXT + 1)]
            loss = F.cross_entropy(model(seq[:, :-1]).flatten(0, 1), seq[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            val = F.cross_entropy(model(held[:, :-1]).flatten(0, 1), held[:, 1:].flatten()).item()
        print(f"[{config['image']}] epoch {epoch} train {total / PER_EPOCH:.3f} val {val:.3f}", flush=True)
    done += config["epochs"]
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epochs": done}, config["out"])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(json.loads(sys.argv[1]))
    else:
        for config in RUNS:
            subprocess.run([sys.executable, __file__, json.dumps(config)], check=True)
