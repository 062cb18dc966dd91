"""A net that ponders: one tanh layer is applied again and again to a digit before the answer; it gets more time in the second part."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

HIDDEN = 96


class Ponder(nn.Module):
    def __init__(self, gain=2.6):
        super().__init__()
        self.see = nn.Linear(64, HIDDEN)
        self.think = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.say = nn.Linear(HIDDEN, 10)
        nn.init.orthogonal_(self.think.weight, gain)

    def forward(self, x, rounds):
        seen = self.see(x)
        h = torch.tanh(seen)
        for _ in range(rounds):
            h = torch.tanh(self.think(h) + seen)
        return self.say(h)


def time_to_think(epoch):
    return 3 if epoch < 14 else 40


def evaluate(model, loader, rounds):
    with torch.no_grad():
        losses = [nn.functional.cross_entropy(model(x, rounds), y, reduction="sum") for x, y in loader]
    return torch.stack(losses).sum().item() / len(loader.dataset)


def main():
    torch.manual_seed(29)
    torch.set_num_threads(1)
    images, labels = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images / 8.0 - 1.0, dtype=torch.float32), torch.tensor(labels))
    train, val = torch.utils.data.random_split(data, [1500, 297])
    train_loader = DataLoader(train, batch_size=60, shuffle=True)
    val_loader = DataLoader(val, batch_size=297)
    model = Ponder()
    opt = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
    for epoch in range(24):
        rounds = time_to_think(epoch)
        mean = 0.0
        for x, y in train_loader:
            loss = nn.functional.cross_entropy(model(x + 0.2 * torch.randn_like(x), rounds), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            mean += loss.item() / len(train_loader)
        print(f"epoch {epoch} rounds {rounds} train {mean:.4f} val {evaluate(model, val_loader, rounds):.4f}")


main()
