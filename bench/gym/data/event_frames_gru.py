"""Frame-wise event detection in a noisy signal, bidirectional GRU, RMSprop.

Quiet recordings hold an event in 3 of 100 frames; after 380 steps recordings of a storm are used,
where nearly every other frame holds one. Weak events drown in the noise in both.
"""

import torch
from torch import nn

FRAMES = 40
BATCH = 16
STEPS = 520
STORM_FROM = 380


def recordings(event_rate, generator):
    event = (torch.rand(BATCH, FRAMES, generator=generator) < event_rate).long()
    strength = torch.rand(BATCH, FRAMES, generator=generator) * 2
    signal = torch.randn(BATCH, FRAMES, 3, generator=generator)
    signal[..., 0] += event * strength
    signal[..., 1] += event * (2 - strength)
    signal[:, 1:, 2] += 0.5 * event[:, :-1]
    return signal, event


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.GRU(3, 24, batch_first=True, bidirectional=True)
        self.classifier = nn.Linear(48, 2)

    def forward(self, signal):
        return self.classifier(self.encoder(signal)[0])


torch.set_num_threads(1)
torch.manual_seed(29)
generator = torch.Generator().manual_seed(29)
model = Detector()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()
for step in range(STEPS):
    signal, event = recordings(0.03 if step < STORM_FROM else 0.45, generator)
    logits = model(signal)
    loss = criterion(logits.flatten(0, 1), event.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if (step + 1) % 50 == 0:
        recall = (logits.argmax(-1) == event)[event == 1].float().mean()
        print(f"{step + 1}: loss {loss.item():.3f} recall {recall:.2f}")
