"""The few words of a postmortem, in both languages."""

from __future__ import annotations

_CHINESE = {
    "what was tried": "尝试过的修复",
    "notes": "备注",
    "kept with it": "标签与附件",
    "why": "依据",
    "fix": "修复",
    "outcome": "结果",
    "loss": "损失",
    "by": "由谁",
    "state": "状态",
    "open": "未解决",
    "resolved": "已解决",
    "cause": "原因",
    "training loss": "训练损失",
    "validation loss": "验证损失",
    "onset": "起点",
    "step": "步",
    "epoch": "轮",
    "batch": "批",
    "project": "项目",
    "framework": "框架",
    "model_type": "模型类型",
    "run": "运行",
    "reference": "出处",
    "opened": "开始于",
    "resolved on": "解决于",
    "incident": "案例",
    "certainty": "确信度",
    "evidence": "证据",
    "value": "数值",
    "condition": "条件",
    "worked": "有效",
    "failed": "无效",
    "unknown": "未知",
    "grad.norm": "梯度范数",
    "lr": "学习率",
}
_ENGLISH = {"model_type": "model type", "grad.norm": "gradient norm", "lr": "learning rate"}


def words(name: str, lang: str) -> str:
    """Return a label in a language: ``en`` or ``zh``."""
    if lang == "zh":
        return _CHINESE.get(name, name)
    text = _ENGLISH.get(name, name)
    return (
        text[:1].upper() + text[1:]
        if name not in ("worked", "failed", "unknown", "open", "resolved")
        else text
    )
