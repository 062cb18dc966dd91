"""A trainer class, a loss module, SGD with momentum and a scheduler, clipping imported by name."""

import torch
from finish import finish
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import StepLR


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(10, 16)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


class Trainer:
    def __init__(self):
        self.model = Net()
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.scheduler = StepLR(self.optimizer, step_size=1, gamma=0.5)

    def train_step(self, x, y):
        self.optimizer.zero_grad(set_to_none=False)
        loss = self.criterion(self.model(x), y)
        loss.backward()
        clip_grad_norm_(self.model.parameters(), 0.5)
        self.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def validate(self, x, y):
        self.model.eval()
        value = self.criterion(self.model(x), y).item()
        self.model.train()
        return value


torch.set_num_threads(1)
torch.manual_seed(1)
data, labels = torch.randn(200, 10), torch.randint(0, 3, (200,))
trainer = Trainer()
for _ in range(3):
    for start in range(0, 200, 20):
        print("loss", repr(trainer.train_step(data[start : start + 20], labels[start : start + 20])))
    print("val", repr(trainer.validate(data[:50], labels[:50])))
    trainer.scheduler.step()
finish(trainer.model)
