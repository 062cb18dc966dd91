"""Everything at module level, Adam, BatchNorm and dropout, clipping, a validation loop."""

import torch
import torch.nn.functional as F  # noqa: N812 - the name every PyTorch user knows
from finish import finish
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
x = torch.randn(320, 20)
y = (x[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.BatchNorm1d(32), nn.Dropout(0.1), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True)
for _ in range(3):
    model.train()
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        print("loss", repr(loss.item()))
    model.eval()
    with torch.no_grad():
        losses = [F.cross_entropy(model(x[i : i + 80]), y[i : i + 80]).item() for i in range(0, 320, 80)]
    print("val", repr(sum(losses) / len(losses)))
finish(model)
