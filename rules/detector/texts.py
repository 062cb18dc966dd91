"""The sentences of a finding, in English and Chinese."""

from __future__ import annotations

import math

Pair = tuple[str, str]

UNITS = {"train": ("training loss", "训练损失"), "val": ("validation loss", "验证损失")}


def number(value: float | None) -> str:
    """Return a level in four digits."""
    if value is None:
        return "?"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf"
    return f"{value:.4g}"


def times(ratio: float | None) -> Pair:
    """Return a ratio as an aside, empty where there is none."""
    if ratio is None or not math.isfinite(ratio):
        return "", ""
    text = f"{ratio:.3g}"
    return f" ({text}x)", f"（{text} 倍）"


def fill(texts: Pair, **values: object) -> Pair:
    """Fill both sentences; a value that is a pair gives each language its own."""

    def pick(place: int) -> dict[str, object]:
        return {k: v[place] if isinstance(v, tuple) else v for k, v in values.items()}

    return texts[0].format(**pick(0)), texts[1].format(**pick(1))


SPIKE: Pair = (
    "The {series} jumped at step {step} from {before} to {after}{times}{sync} and {stayed}{reset}.",
    "{series}在第 {step} 步由 {before} 突增到 {after}{times}{sync}，{stayed}{reset}。",
)
STAYED: Pair = ("stayed up until the end of the record", "直到记录结束都没有回落")
LAST: Pair = ("the record ends there", "记录到此为止")
SYNC: dict[str, Pair] = {
    "both": (", together with the validation loss", "，验证损失同时突增"),
    "alone": (", while the validation loss kept its level", "，而验证损失保持不变"),
    "unknown": ("", ""),
    "train": (", together with the training loss", "，训练损失同时突增"),
}
RESET: dict[str | None, Pair] = {
    None: ("", ""),
    "start": (
        "; that is the level of the first step again, so the model lost what it had learnt",
        "；这正是第一步的水平，说明模型丢失了已学到的内容（重置）",
    ),
    "chance": (
        "; that is the logarithm of a whole number of classes, so the model only guesses (collapse)",
        "；这正是类别数的对数，说明模型只是在猜测（坍塌）",
    ),
}
NAN: Pair = (
    "The training loss is not a finite number from step {step} on{how}.",
    "训练损失从第 {step} 步起不再是有限数{how}。",
)
NAN_HOW: dict[str, Pair] = {
    "value": ("", ""),
    "zero": (": it reads 0.0 while the gradient norm is not finite", "：显示为 0.0，而梯度范数不是有限数"),
    "missing": (": it is missing while the other columns go on", "：损失缺失，而其他列仍在继续记录"),
}
NAN_AFTER: Pair = (
    "The training loss jumped at step {step} from {before} to {after}{times} and is not a finite number "
    "from step {broken} on.",
    "训练损失在第 {step} 步由 {before} 突增到 {after}{times}，从第 {broken} 步起不再是有限数。",
)
VAL_NAN: Pair = (
    "; the validation loss is not a finite number from step {step} on.",
    "；验证损失从第 {step} 步起不再是有限数。",
)
TRANSIENT: Pair = (
    "The {series} jumped at step {step} from {before} to {peak}{times} and came back by itself after "
    "{width} records.",
    "{series}在第 {step} 步由 {before} 突增到 {peak}{times}，{width} 条记录后自行恢复。",
)
RESTART: Pair = (
    "The {series} rose at step {step} from {before} to {after}{times} {why}, and converges again: "
    "a planned restart.",
    "{series}在第 {step} 步由 {before} 升到 {after}{times}，{why}，随后重新收敛：属于计划内的重启。",
)
WHY: dict[str, Pair] = {
    "lr": ("when the learning rate was raised again", "此时学习率被重新调高"),
    "counter": ("where the step counter begins anew", "此处步数重新计数"),
    "reset": ("back to the level of the first step", "回到第一步的水平"),
    "shape": ("at once and then fell again as steadily as at first", "瞬间升高后又像最初一样平稳下降"),
}
OVERFIT: Pair = (
    "The validation loss rose slowly from its best {best} at step {step} to {final}{times} while the "
    "training loss went on falling: overfitting.",
    "验证损失从第 {step} 步的最低值 {best} 缓慢升到 {final}{times}，而训练损失继续下降：过拟合。",
)
DIVERGE: Pair = (
    "The {series} rose slowly from {best} at step {step} to {final}{times}, with no sudden jump: "
    "slow divergence.",
    "{series}从第 {step} 步的 {best} 缓慢升到 {final}{times}，没有突增：缓慢发散。",
)
NEVER: Pair = (
    "The training loss never fell below where it started ({first}) and stands at {final}{times}: it diverged "
    "from the first steps.",
    "训练损失从未低于起始值（{first}），最后为 {final}{times}：从最初几步就已发散。",
)
SHIFT: Pair = (
    "The validation loss jumped at step {step} from {before} to {after}{times} and stayed up while the "
    "training loss kept its level: look at what differs in evaluation, such as BatchNorm statistics.",
    "验证损失在第 {step} 步由 {before} 突增到 {after}{times} 且没有回落，而训练损失保持不变："
    "请检查评估时的差异，例如 BatchNorm 统计量。",
)
NOISE: Pair = (
    "The loss is noisy ({spread} spread between records, {outliers} single records standing out), but its "
    "level never jumped.",
    "损失噪声较大（相邻记录离散度 {spread}，{outliers} 个孤立异常点），但总体水平没有突增。",
)
HEALTHY: Pair = (
    "The loss fell from {first} to {final} without a jump.",
    "损失由 {first} 变化到 {final}，没有突增。",
)
LAST_RECORD: Pair = (
    "The loss kept its level up to the last record, which stands out at {value}{times}; "
    "one record is too little to call it a spike.",
    "损失在最后一条记录之前保持正常，最后一条为 {value}{times}；仅凭一条记录还不能判定为突增。",
)
INSUFFICIENT: Pair = (
    "There are only {count} finite loss values; at least {least} are needed to judge.",
    "只有 {count} 个有限的损失值；至少需要 {least} 个才能判断。",
)
