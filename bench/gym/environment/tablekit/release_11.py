import numpy as np


class Scaler:
    """Centres and scales the columns of a table."""

    def __init__(self, center="mean", scale="std"):
        self.center, self.scale = center, scale

    def fit_transform(self, table):
        self.middle = table.mean(0) if self.center == "mean" else np.median(table, 0)
        if self.scale == "std":
            self.width = table.std(0)
        else:
            self.width = np.quantile(table, 0.75, axis=0) - np.quantile(table, 0.25, axis=0)
        return self.transform(table)

    def transform(self, table):
        return (table - self.middle) / np.maximum(self.width, 1e-9)
