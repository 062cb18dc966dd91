"""Wine cultivars from CSV files, softmax regression on bare tensors, plain SGD, no DataLoader.

Later files carry a row number in front, and the reader still takes columns 0 to 12.
"""

import csv
import io

import numpy as np
import torch
from sklearn.datasets import load_wine

FILES = 40
FIRST_NUMBERED = 26
BATCH = 12
LR = 0.08

rng = np.random.default_rng(4)
torch.set_num_threads(1)
table, cultivar = load_wine(return_X_y=True)
order = rng.permutation(len(table))
table, cultivar = table[order], cultivar[order]
train_table, train_cultivar = table[:140], cultivar[:140]
centre, spread = train_table.mean(0), train_table.std(0)


def export(number):
    """What the laboratory sends: one file a day."""
    rows = rng.permutation(140)[:132]
    stream = io.StringIO()
    writer = csv.writer(stream)
    for count, row in enumerate(rows):
        record = [*train_table[row].round(3), train_cultivar[row]]
        if number >= FIRST_NUMBERED:
            record = [count, *record]
        writer.writerow(record)
    return stream.getvalue()


def parse(text):
    features, labels = [], []
    for record in csv.reader(io.StringIO(text)):
        features.append([float(field) for field in record[:13]])
        labels.append(int(record[-1]))
    standardised = (np.array(features) - centre) / spread
    return torch.tensor(standardised, dtype=torch.float32), torch.tensor(labels)


weight = torch.zeros(13, 3, requires_grad=True)
bias = torch.zeros(3, requires_grad=True)
optimizer = torch.optim.SGD([weight, bias], lr=LR)
val_x = torch.tensor((table[140:] - centre) / spread, dtype=torch.float32)
val_y = torch.tensor(cultivar[140:])
for number in range(FILES):
    features, labels = parse(export(number))
    for start in range(0, len(labels), BATCH):
        x, y = features[start : start + BATCH], labels[start : start + BATCH]
        log_p = torch.log_softmax(x @ weight + bias, dim=1)
        loss = -log_p[torch.arange(len(y)), y].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        val_p = torch.log_softmax(val_x @ weight + bias, dim=1)
        val_loss = -val_p[torch.arange(len(val_y)), val_y].mean()
    print(f"file {number} loss {loss.item():.4f} validation {val_loss.item():.4f}")
