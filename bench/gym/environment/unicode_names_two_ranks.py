"""Script of a character from its Unicode name, embedding bag of trigrams, two ranks of local steps, weights averaged in between.

torchrun --nproc-per-node 2 unicode_names_two_ranks.py
"""

import os
import time
import unicodedata
import zlib

import torch
import torch.distributed as dist
from torch import nn

SCRIPTS = ["LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "ETHIOPIC", "HANGUL", "CANADIAN", "BRAHMI", "TIBETAN"]
BUCKETS, WIDTH, BATCH, LOCAL = 3000, 30, 32, 4


def examples():
    rows = []
    for code in range(0x41, 0x11100):
        name = unicodedata.name(chr(code), "")
        script, _, rest = name.partition(" ")
        if script not in SCRIPTS or not rest or (script == "HANGUL" and code % 40):
            continue
        grams = [zlib.crc32(rest[i : i + 3].encode()) % (BUCKETS - 1) + 1 for i in range(max(1, len(rest) - 2))][:WIDTH]
        rows.append((grams + [0] * (WIDTH - len(grams)), SCRIPTS.index(script)))
    x, y = zip(*rows)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return torch.tensor(x)[order], torch.tensor(y)[order]


def build():
    return nn.Sequential(
        nn.EmbeddingBag(BUCKETS, 32, mode="mean", padding_idx=0), nn.Linear(32, 64), nn.ReLU(),
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, len(SCRIPTS)),
    )


@torch.no_grad()
def average_weights(model):
    for p in model.parameters():
        dist.all_reduce(p)
        p /= dist.get_world_size()


class Job:
    def __init__(self, rank, path):
        self.rank, self.path, self.steps = rank, path, 0
        x, y = examples()
        n = 2400
        self.x, self.y = x[rank:n:2], y[rank:n:2]
        self.vx, self.vy = x[n : n + 500], y[n : n + 500]

    def prepare(self, resume, lr):
        model = build()
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        epoch = 0
        if resume:
            if os.path.exists(self.path):  # on the disk of the first node
                state = torch.load(self.path)
                model.load_state_dict(state["model"])
                optimizer.load_state_dict(state["optimizer"])
                optimizer.param_groups[0]["lr"] = lr
            epoch = int(resume)
        else:
            for p in model.parameters():
                dist.broadcast(p.data, 0)
        return model, optimizer, epoch

    def train(self, until, lr, resume=0):
        model, optimizer, epoch = self.prepare(resume, lr)
        while epoch < until:
            total = 0.0
            batches = torch.randperm(len(self.x)).split(BATCH)
            for rows in batches:
                loss = nn.functional.cross_entropy(model(self.x[rows]), self.y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                self.steps += 1
                if self.steps % LOCAL == 0:
                    average_weights(model)
                total += loss.item()
            epoch += 1
            if self.rank == 0:
                with torch.no_grad():
                    val = nn.functional.cross_entropy(model(self.vx), self.vy).item()
                print(f"epoch {epoch:2d} loss {total / len(batches):.4f} val {val:.4f}", flush=True)
                torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, self.path)
        dist.barrier()


if __name__ == "__main__":
    torch.set_num_threads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    torch.manual_seed(300 + rank)
    job = Job(rank, f"node{rank}.pt")
    job.train(until=12, lr=2e-3)
    job.train(until=18, lr=5e-4, resume=12)
    dist.destroy_process_group()
    time.sleep(1)  # both ranks' last lines go out before torchrun ends
