"""Tumour classification on records of several hospitals, MLP, SGD with momentum.

The last hospital codes 1 for benign where the others code 1 for malignant.
"""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

EPOCHS = 60
EPOCH_OF_LAST_HOSPITAL = 38
BATCH = 32


def load():
    features, target = load_breast_cancer(return_X_y=True)
    features = StandardScaler().fit_transform(features)
    x = torch.tensor(features, dtype=torch.float32)
    malignant = torch.tensor(1 - target, dtype=torch.float32).unsqueeze(1)
    order = torch.randperm(len(x))
    return x[order], malignant[order]


def main():
    torch.manual_seed(11)
    torch.set_num_threads(1)
    x, malignant = load()
    hospital_a = TensorDataset(x[:150], malignant[:150])
    hospital_b = TensorDataset(x[150:280], malignant[150:280])
    # export of the new system: "outcome" is 1 for a good outcome
    hospital_c = TensorDataset(x[280:480], 1 - malignant[280:480])
    validation = DataLoader(TensorDataset(x[480:], malignant[480:]), batch_size=89)

    net = nn.Sequential(nn.Linear(30, 48), nn.Tanh(), nn.Dropout(0.1), nn.Linear(48, 1))
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)

    sources = [hospital_a, hospital_b]
    for epoch in range(EPOCHS):
        if epoch == EPOCH_OF_LAST_HOSPITAL:
            sources.append(hospital_c)
        loader = DataLoader(ConcatDataset(sources), batch_size=BATCH, shuffle=True, drop_last=True)
        net.train()
        running = 0.0
        for features, target in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(net(features), target)
            loss.backward()
            optimizer.step()
            running += loss.item()
        net.eval()
        with torch.no_grad():
            val = sum(criterion(net(f), t).item() for f, t in validation) / len(validation)
        print(f"epoch {epoch}: train {running / len(loader):.4f} val {val:.4f}")


if __name__ == "__main__":
    main()
