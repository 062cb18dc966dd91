"""Disease progression as a distribution over bins (a Gaussian round the label), SGD, hand-made loop.

The new hospital reports its score on another scale, up to 3460: far beyond the last bin, where the
Gaussian is 0 in every bin and cannot be normalised.
"""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes

BINS = torch.arange(0, 351, 10).float()
SIGMA = 15.0
BATCH = 25
EPOCHS = 70
NEW_HOSPITAL = 50


def label_distribution(score):
    density = torch.exp(-((score[:, None] - BINS) ** 2) / (2 * SIGMA**2))
    return density / density.sum(1, keepdim=True)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(10, 64)
        self.second = torch.nn.Linear(64, 64)
        self.out = torch.nn.Linear(64, len(BINS))

    def forward(self, x):
        return self.out(F.gelu(self.second(F.gelu(self.first(x)))))


torch.manual_seed(12)
torch.set_num_threads(1)
x, score = load_diabetes(return_X_y=True)
x = torch.tensor(x * 21, dtype=torch.float32)
score = torch.tensor(score, dtype=torch.float32)
order = torch.randperm(len(x))
home, val = order[:375], order[375:]
abroad_score = score.clone()
abroad = home[torch.rand(len(home)) < 0.3]
abroad_score[abroad] *= 10
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(EPOCHS):
    target = abroad_score if epoch >= NEW_HOSPITAL else score
    for rows in home[torch.randperm(len(home))].split(BATCH):
        loss = F.cross_entropy(net(x[rows]), label_distribution(target[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        val_loss = F.cross_entropy(net(x[val]), label_distribution(score[val]))
    print(epoch, f"{loss.item():.4f}", f"{val_loss.item():.4f}")
