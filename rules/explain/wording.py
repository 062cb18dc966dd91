"""The sentences of an explanation, in English and Chinese."""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..detector.early import Precursor
from ..diagnosis import FactValue
from ..documents.checking import is_derived
from ..engine import Condition
from ..engine.condition import SIGNS, show
from ..facts.registry import FactSpec, specs

Lang: TypeAlias = Literal["en", "zh"]

SENTENCES: dict[str, tuple[str, str]] = {
    "failed": ("{what} is {value}; needed: {wanted}", "{what}为 {value}，需要 {wanted}"),
    "unknown": ("{what} was not measured ({fact})", "未测得{what}（{fact}）"),
    "vetoed": ("excluded because {what} is {value}", "因{what}为 {value} 而排除"),
    "conclusion_weak": (
        "“{what}” is only {value} certain; needed: {wanted}",
        "“{what}”的确定度仅为 {value}，需要 {wanted}",
    ),
    "conclusion_veto": (
        "excluded because of “{what}” (certainty {value})",
        "因“{what}”而排除（确定度 {value}）",
    ),
    "conclusion_missing": ("nothing shows “{what}”", "没有证据表明“{what}”"),
    "no_rule": ("no rule concludes it yet", "目前没有规则能得出该原因"),
    "other_verdict": ("its rules apply to other findings than this one", "其规则不适用于此类情形"),
    "record": (
        "Record {evidence}: {what} ({fact}) would decide about {causes}.",
        "请记录 {evidence}：{what}（{fact}）可用于判断{causes}。",
    ),
    "measure": (
        "Measure {what} ({fact}): it would decide about {causes}.",
        "请测量{what}（{fact}）：可用于判断{causes}。",
    ),
    "and": (" and ", "和"),
    "comma": (", ", "、"),
    "broken_rules": (
        "{count} problems in rule files; `spikelore rules check` shows them, the other rules are in force",
        "规则文件中有 {count} 处问题；`spikelore rules check` 可查看，其余规则照常生效",
    ),
    "sensor_off": (
        "sensor {sensor} was switched off at step {step}: {error}",
        "传感器 {sensor} 在第 {step} 步被关闭：{error}",
    ),
    "evidence_lost": ("{count} records of evidence were lost: {reason}", "丢失 {count} 条证据记录：{reason}"),
    "damaged": ("{count} lines of rank {rank} cannot be read", "rank {rank} 有 {count} 行无法读取"),
    "moved": (
        "{lead} steps before the loss jumped, {what} had left its level: {before} → {after}",
        "损失骤升前 {lead} 步，{what}已偏离原有水平：{before} → {after}",
    ),
    "moving": (
        "{what} has left its level since step {step}: {before} → {after}",
        "自第 {step} 步起，{what}偏离原有水平：{before} → {after}",
    ),
    "moves/grad.norm": ("the gradient norm", "梯度范数"),
    "moves/update.norm": ("the size of the updates at an equal rate", "同等学习率下的更新幅度"),
    "moves/act.norm": ("the size of the activations", "激活幅度"),
    "moves/act.kurtosis": ("the kurtosis of the activations", "激活值的峰度"),
    "moves/attn.logit_max": ("the largest attention logit", "最大注意力 logit"),
    "moves/amp.scale": ("the loss scale", "损失缩放因子"),
    "moves/loss": ("the loss itself", "损失本身"),
    "one_of": ("one of {values}", "{values} 之一"),
}
_BOOLS = {"en": {True: "yes", False: "no"}, "zh": {True: "是", False: "否"}}


def say(key: str, lang: Lang, **parts: str) -> str:
    """Return a sentence with its parts."""
    return SENTENCES[key][lang == "zh"].format(**parts)


def moves(key: str, lang: Lang, found: Precursor, **parts: str) -> str:
    """Return a sentence on a quantity that has left its level."""
    numbers = {"before": f"{found.before:.3g}", "after": f"{found.value:.3g}"}
    return say(key, lang, what=say(f"moves/{found.quantity}", lang), **numbers, **parts)


def meaning(fact: str, lang: Lang) -> str:
    """Return what a fact means; its name where it is not declared."""
    spec = specs().get(fact)
    return spec.explain(lang) if spec else fact


def value_text(fact: str, value: FactValue, lang: Lang) -> str:
    """Return a value with its unit; yes and no for a flag."""
    if isinstance(value, bool):
        return _BOOLS[lang][value]
    return show(value) + _unit(specs().get(fact), value)


def wanted_text(condition: Condition, lang: Lang) -> str:
    """Return what a condition asks for."""
    values = [value_text(condition.fact, value, lang) for value in condition.alternatives]
    if condition.op == "in":
        return say("one_of", lang, values=", ".join(values)) if len(values) > 1 else values[0]
    if condition.op == "eq":
        return values[0]
    return f"{SIGNS[condition.op]} {values[0]}"


def join(parts: list[str], lang: Lang) -> str:
    """Return a list of names as running text."""
    if len(parts) < 2:
        return "".join(parts)
    return say("comma", lang).join(parts[:-1]) + say("and", lang) + parts[-1]


def quote(text: str) -> str:
    """Return a title in quotation marks."""
    return f"“{text}”"


def _unit(spec: FactSpec | None, value: FactValue) -> str:
    if spec is None or not spec.unit or isinstance(value, str) or is_derived(spec.name):
        return ""
    return f" {spec.unit}"
