"""Chinese texts of the interface, by their English ones."""

from __future__ import annotations

CATALOGUE: dict[str, str] = {
    "epoch {n}": "第 {n} 轮",
    "batch {n}": "第 {n} 批",
    "step {n}": "第 {n} 步",
}
