"""Curriculum dropout: the rate grows from 0 to 0.5 with the epochs. Newsgroup-like topics of pydoc."""

import pydoc_data.topics

import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import nn

torch.manual_seed(6)
torch.set_num_threads(1)
paragraphs, topic = [], []
longest = sorted(pydoc_data.topics.topics.items(), key=lambda item: -len(item[1]))[:8]
for number, (_, body) in enumerate(longest):
    for paragraph in body.split("\n\n"):
        if len(paragraph) > 60:
            paragraphs.append(paragraph)
            topic.append(number)
x = torch.tensor(TfidfVectorizer(max_features=800).fit_transform(paragraphs).toarray()).float()
y = torch.tensor(topic)
print(len(y), "paragraphs")

dropout = nn.Dropout(0.0)
model = nn.Sequential(nn.Linear(800, 64), nn.ReLU(), dropout, nn.Linear(64, 8))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
EPOCHS = 30
for epoch in range(EPOCHS):
    dropout.p = 0.5 * epoch / (EPOCHS - 1)
    total, order = 0.0, torch.randperm(len(y))
    batches = order.split(32)
    for rows in batches:
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(f"epoch {epoch} p {dropout.p:.2f} loss {total / len(batches):.4f}")
