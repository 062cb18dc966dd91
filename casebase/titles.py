"""One line that says what happened, in both languages."""

from __future__ import annotations

from .values import Case, Loss, Told


def title_of(case: Case, told: Told, lang: str) -> str:
    """Return a title such as ``Loading error at step 1,203: training loss 0.31 → 4.8``."""
    if lang == "zh":
        what = _cause_title(case, told, "zh") or "损失骤升"
        where = f"第 {case.step:,} 步" if case.step is not None else _epoch(case, "第 {} 轮")
        loss = "训练损失"
        colon, at = ":", f"({where})" if where else ""
    else:
        what = _cause_title(case, told, "en") or _readable(case.predicted) or "Loss spike"
        where = f"step {case.step:,}" if case.step is not None else _epoch(case, "epoch {}")
        loss = "training loss"
        colon, at = ": ", f" at {where}" if where else ""
    if case.train_before is None and case.train_after is None:
        return f"{what}{at}"
    return f"{what}{at}{colon}{loss} {_number(case.train_before)} → {_number(case.train_after)}"


def _cause_title(case: Case, told: Told, lang: str) -> str:
    if told.cause.get(lang):
        return told.cause[lang]
    diagnosis = case.diagnosis
    if diagnosis and diagnosis.causes and diagnosis.lang == lang:
        return diagnosis.causes[0].title
    return ""


def _epoch(case: Case, pattern: str) -> str:
    # Records count finished epochs; people count from one.
    return pattern.format(int(case.epoch) + 1) if case.epoch is not None else ""


def _readable(cause: str) -> str:
    words = cause.rpartition(".")[2].replace("-", " ")
    return words[:1].upper() + words[1:]


def _number(value: Loss) -> str:
    if isinstance(value, str):
        return {"nan": "NaN"}.get(value, value)
    return "?" if value is None else f"{value:.4g}"
