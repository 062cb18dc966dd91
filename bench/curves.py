"""Synthetic loss curves of known truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Make: TypeAlias = Callable[[np.random.Generator], Array]

STEPS = 2000
SHIFT_AT = 1200
EPOCHS = 40
EPOCH_AT = 25

T = np.arange(STEPS)
DECAY = 0.5 + 2.0 * np.exp(-T / 300)


def steps(noise: float, factor: float = 1.0, rare: float = 0.0) -> Make:
    """Curves of single steps: exponential decay, normal noise, a level shift, rare batches of four times."""

    def make(random: np.random.Generator) -> Array:
        curve = DECAY * (1 + noise * random.standard_normal(STEPS))
        curve *= np.where(random.random(STEPS) < rare, 4.0, 1.0)
        return curve * np.where(T >= SHIFT_AT, factor, 1.0)

    return make


def epochs(noise: float, factor: float = 1.0, shape: str = "exponential") -> Make:
    """Curves of epoch means."""
    k = np.arange(EPOCHS)
    falls = {
        "exponential": 0.5 + 1.8 * np.exp(-k / 8),
        "linear": np.linspace(2.3, 0.5, EPOCHS),
        "power": 2.3 * (1.0 + k) ** -0.5,
    }

    def make(random: np.random.Generator) -> Array:
        curve = falls[shape] * (1 + noise * random.standard_normal(EPOCHS))
        return np.where(k >= EPOCH_AT, factor, 1.0) * curve

    return make


def correlated(random: np.random.Generator, memory: float, spread: float) -> Array:
    """Return autoregressive noise with a given correlation from step to step and total spread."""
    pushes = random.standard_normal(STEPS) * spread * np.sqrt(1 - memory**2)
    noise, value = np.empty(STEPS), random.standard_normal() * spread
    for i in range(STEPS):
        noise[i] = value = memory * value + pushes[i]
    return noise


def _bursts(r: np.random.Generator) -> Array:
    return DECAY * np.exp(np.where((T // 200) % 3 == 1, 0.3, 0.05) * r.standard_normal(STEPS))


def _gan(r: np.random.Generator) -> Array:
    return np.abs(1 + correlated(r, 0.97, 0.4) + 0.3 * r.standard_normal(STEPS))


def _saw(r: np.random.Generator, height: float, period: int) -> Array:
    return DECAY * (1 + height * (1 - (T % period) / period)) * (1 + 0.05 * r.standard_normal(STEPS))


HEALTHY: dict[str, Make] = {
    "constant level, 5 %": lambda r: 1 + 0.05 * r.standard_normal(STEPS),
    "cosine, 5 %": lambda r: (
        (0.2 + 1.1 * (1 + np.cos(np.pi * T / STEPS))) * (1 + 0.05 * r.standard_normal(STEPS))
    ),
    "plateau, then a drop": lambda r: (
        np.where(T < 700, 2.3, 0.5 + 1.8 * np.exp(-(T - 700) / 100)) * (1 + 0.03 * r.standard_normal(STEPS))
    ),
    "steps down": lambda r: (
        np.select([T < 700, T < 1400], [2, 1], 0.5) * (1 + 0.05 * r.standard_normal(STEPS))
    ),
    "log-normal 40 %": lambda r: DECAY * np.exp(0.4 * r.standard_normal(STEPS)),
    "log-normal 100 %": lambda r: DECAY * np.exp(r.standard_normal(STEPS)),
    "exponential": lambda r: DECAY * r.exponential(1, STEPS),
    "Student t, 3 degrees": lambda r: DECAY * np.exp(0.1 * r.standard_t(3, STEPS)),
    "Student t, 2 degrees": lambda r: DECAY * np.exp(0.08 * r.standard_t(2, STEPS)),
    "correlated 0.9, 15 %": lambda r: DECAY * np.exp(correlated(r, 0.9, 0.15)),
    "correlated 0.99, 25 %": lambda r: DECAY * np.exp(correlated(r, 0.99, 0.25)),
    "correlated 0.95, 30 %": lambda r: DECAY * np.exp(correlated(r, 0.95, 0.3)),
    "noise growing to 30 %": lambda r: DECAY * np.exp((0.02 + 0.3 * T / STEPS) * r.standard_normal(STEPS)),
    "bursts of 30 % noise": _bursts,
    "three kinds of batches": lambda r: (
        DECAY * np.exp(0.05 * r.standard_normal(STEPS)) * r.choice([0.5, 1, 2], STEPS, p=[0.3, 0.4, 0.3])
    ),
    "periodic, 30 %": lambda r: (
        DECAY * (1 + 0.3 * np.sin(2 * np.pi * T / 100)) * (1 + 0.05 * r.standard_normal(STEPS))
    ),
    "saw of 1.5x an epoch": lambda r: _saw(r, 0.5, 200),
    "saw of 2x an epoch": lambda r: _saw(r, 1.0, 100),
    "adversarial, near zero": _gan,
    "policy gradient round zero": lambda r: 0.05 * r.standard_t(3, STEPS),
    "density, below zero": lambda r: 3 * np.exp(-T / 200) - 2 + 0.2 * r.standard_normal(STEPS),
    "memorising, four decimals": lambda r: np.round(
        2.3 * np.exp(-T / 150) * np.exp(0.2 * r.standard_normal(STEPS)), 4
    ),
    "slow divergence, linear": lambda r: (
        (0.5 + 2 * np.exp(-T / 100) + np.maximum(0, T - 800) * 0.002) * (1 + 0.05 * r.standard_normal(STEPS))
    ),
    "slow divergence, exponential": lambda r: (
        np.maximum(0.5 + 2 * np.exp(-T / 100), 0.5 * np.exp((T - 1000) / 250))
        * (1 + 0.05 * r.standard_normal(STEPS))
    ),
}
"""Shapes without a spike: nothing may alarm."""
PERIODS = {"saw of 1.5x an epoch": 200, "saw of 2x an epoch": 100}
"""Steps an epoch, for the detectors that are told."""
