"""Character GRU on help texts, AdamW; a run that was stopped within an epoch goes on where it was."""

import itertools
import subprocess
import sys

import torch
from pydoc_data.topics import topics
from torch import nn
from torch.utils.data import DataLoader, Dataset

OPTIONS = dict(length=40, batch=20, hidden=72, lr=4e-3, total=640, stop_at=385, report=40, file="docs_gru.pt")


class Snippets(Dataset):
    def __init__(self, text, alphabet):
        ids = torch.tensor([alphabet.index(c) for c in text])
        size = OPTIONS["length"] + 1
        self.rows = ids[: len(ids) // size * size].view(-1, size)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, n):
        return self.rows[n]


class CharGRU(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.embed = nn.Embedding(vocab, 32)
        self.gru = nn.GRU(32, OPTIONS["hidden"], batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(OPTIONS["hidden"], vocab)

    def loss(self, seq):
        h = self.drop(self.gru(self.embed(seq[:, :-1]))[0])
        return nn.functional.cross_entropy(self.head(h).flatten(0, 1), seq[:, 1:].flatten())


def main(resume):
    torch.manual_seed(61)
    torch.set_num_threads(1)
    text = "\n".join(topics[k] for k in ("assignment", "class", "exprlists", "compound", "import", "specialnames"))
    text = "".join(c for c in text if c.isascii())[:60_000]
    alphabet = sorted(set(text))
    cut = int(len(text) * 0.9)
    train, val = Snippets(text[:cut], alphabet), Snippets(text[cut:], alphabet)
    generator = torch.Generator()
    loader = DataLoader(train, OPTIONS["batch"], shuffle=True, generator=generator, drop_last=True)
    model = CharGRU(len(alphabet))
    optimizer = torch.optim.AdamW(model.parameters(), lr=OPTIONS["lr"], weight_decay=0.02)

    if resume:
        saved = torch.load(OPTIONS["file"])
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        torch.set_rng_state(saved["rng"])
        first = saved["step"]
        generator.manual_seed(first // len(loader))
        skip = first % len(loader)
        # the rest of the epoch that was begun, then on and on
        batches = itertools.cycle(itertools.islice(loader, skip, None))
        steps = range(first, OPTIONS["total"])
    else:
        def epochs():
            for epoch in itertools.count():
                generator.manual_seed(epoch)
                yield from loader

        batches = epochs()
        steps = range(OPTIONS["stop_at"])

    recent = []
    for step, seq in zip(steps, batches):
        loss = model.loss(seq)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        recent.append(loss.item())
        if (step + 1) % OPTIONS["report"] == 0:
            model.eval()
            with torch.no_grad():
                held = model.loss(val.rows).item()
            model.train()
            epoch = step / len(loader)
            print(f"step {step + 1} ({epoch:.1f} epochs) train {sum(recent) / len(recent):.3f} val {held:.3f}", flush=True)
            recent = []
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1,
                "rng": torch.get_rng_state()}, OPTIONS["file"])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1] == "--resume")
    else:
        subprocess.run([sys.executable, __file__, "--new"], check=True)
        subprocess.run([sys.executable, __file__, "--resume"], check=True)
