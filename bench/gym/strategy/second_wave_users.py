"""Films and users (generated ratings): factor model with NAdam; the users of the second wave sign up half-way through."""

import torch
import torch.nn.functional as F
from torch import nn

FIRST, SECOND, FILMS, RANK = 150, 150, 80, 12
SETTINGS = dict(lr=0.06, betas=(0.9, 0.9999), batch=128)


def ratings(generator):
    taste = torch.randn(FIRST + SECOND, 4, generator=generator)
    style = torch.randn(FILMS, 4, generator=generator)
    scores = 3 + 0.5 * taste @ style.T + 0.2 * torch.randn(FIRST + SECOND, FILMS, generator=generator)
    given = torch.rand(scores.shape, generator=generator) < 0.4
    user, film = given.nonzero().unbind(1)
    return user, film, scores[given]


class Factors(nn.Module):
    def __init__(self):
        super().__init__()
        self.user = nn.Embedding(FIRST + SECOND, RANK)
        self.film = nn.Embedding(FILMS, RANK)
        self.film_level = nn.Embedding(FILMS, 1)
        self.mix = nn.Sequential(nn.Linear(RANK, 32), nn.ReLU(), nn.Linear(32, 1))
        for table in (self.user, self.film):
            nn.init.normal_(table.weight, std=0.3)
        nn.init.constant_(self.film_level.weight, 3.0)

    def forward(self, user, film):
        product = self.user(user) * self.film(film)
        return product.sum(1) + (self.mix(product) + self.film_level(film)).squeeze(1)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(6)
    user, film, score = ratings(torch.Generator().manual_seed(60))
    order = torch.randperm(len(user))
    user, film, score = user[order], film[order], score[order]
    held = torch.arange(len(user)) % 8 == 0
    model = Factors()
    optimizer = torch.optim.NAdam(model.parameters(), lr=SETTINGS["lr"], betas=SETTINGS["betas"])
    for epoch in range(18):
        active = user < (FIRST if epoch < 13 else FIRST + SECOND)
        fit = (active & ~held).nonzero().squeeze(1)
        check = (active & held).nonzero().squeeze(1)
        losses = []
        for rows in fit[torch.randperm(len(fit))].split(SETTINGS["batch"]):
            loss = F.mse_loss(model(user[rows], film[rows]), score[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        with torch.no_grad():
            val = F.mse_loss(model(user[check], film[check]), score[check]).item()
        print(f"epoch {epoch:2d} ({len(fit)} ratings) train {sum(losses) / len(losses):.4f} val {val:.4f}")


main()
