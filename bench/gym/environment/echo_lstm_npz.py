"""Echo task (repeat the symbols of some steps ago), LSTM with centred RMSprop; saved with state and taken up again."""

import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
SYMBOLS, LENGTH, DELAY = 8, 24, 4


class Echo(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, 16)
        self.lstm = nn.LSTM(16, 64, batch_first=True)
        self.out = nn.Linear(64, SYMBOLS)

    def forward(self, x):
        return self.out(self.lstm(self.embed(x))[0])


class Store:
    """Arrays in one .npz, everything else as JSON beside it."""

    def __init__(self, folder):
        self.arrays, self.plain = Path(folder) / "arrays.npz", Path(folder) / "plain.json"

    def write(self, model, optimizer, epoch):
        names = [name for name, _ in model.named_parameters()]
        arrays = {f"model/{k}": v.numpy() for k, v in model.state_dict().items()}
        plain = {"epoch": epoch, "steps": {}}
        state = optimizer.state_dict()
        for number, slots in state["state"].items():
            plain["steps"][names[number]] = float(slots["step"])
            for slot in ("square_avg", "grad_avg", "momentum_buffer"):
                if slot in slots:
                    arrays[f"optimizer/{slot}/{names[number]}"] = slots[slot].numpy()
        plain["groups"] = state["param_groups"]
        np.savez(self.arrays, **arrays)
        self.plain.write_text(json.dumps(plain))

    def read(self, model, optimizer):
        plain = json.loads(self.plain.read_text())
        with np.load(self.arrays) as file:
            arrays = {k: torch.from_numpy(file[k]) for k in file.files}
        model.load_state_dict({k.removeprefix("model/"): v for k, v in arrays.items() if k.startswith("model/")})
        for name, p in model.named_parameters():
            slots = {"step": torch.tensor(plain["steps"][name])}
            for slot in ("square_avg", "grad_avg", "momentum_buffer"):
                slots[slot] = arrays.get(f"optimizer/{slot}.{name}", torch.zeros_like(p))
            optimizer.state[p] = slots
        return plain["epoch"]


def batch(size, generator):
    x = torch.randint(SYMBOLS, (size, LENGTH), generator=generator)
    return x, x[:, :-DELAY]


def loss_of(model, x, y):
    return nn.functional.cross_entropy(model(x)[:, DELAY:].flatten(0, 1), y.flatten())


def train(folder, epochs, resume=False):
    model = Echo()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=8e-4, alpha=0.995, centered=True, momentum=0.5)
    store = Store(folder)
    first = store.read(model, optimizer) if resume else 0
    val = batch(200, torch.Generator().manual_seed(-1))
    for epoch in range(first, first + epochs):
        generator = torch.Generator().manual_seed(epoch)
        losses = []
        for _ in range(60):
            loss = loss_of(model, *batch(32, generator))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            held = loss_of(model, *val).item()
        print(f"epoch {epoch:2d} train {np.mean(losses):.4f} val {held:.4f}")
    store.write(model, optimizer, first + epochs)


if __name__ == "__main__":
    torch.manual_seed(95)
    with tempfile.TemporaryDirectory() as folder:
        train(folder, 10)
        train(folder, 5, resume=True)
