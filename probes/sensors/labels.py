"""Labels, and what a model that was right so far says of them before it learns from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from ..agent.step import OpenStep

_MAX_CLASSES = 256


class Labels(Sensor):
    """Reads targets from the loss in the autograd graph, else from the loader's batch."""

    name = "labels"
    sampled = True
    FIELDS = (
        Field("label.count", "count", "scalar", "sampled", "Labels that count for the loss."),
        Field("label.hist", "count", "list[classes]", "sampled", "Labels of each class, up to 256 classes."),
        Field("label.min", "label", "scalar", "sampled", "Smallest label."),
        Field("label.max", "label", "scalar", "sampled", "Largest label."),
        Field("label.mean", "label", "scalar", "sampled", "Mean of float targets."),
        Field("label.std", "label", "scalar", "sampled", "Standard deviation of float targets."),
        Field("label.nonfinite", "share", "scalar", "sampled", "Non-finite float targets."),
        Field("label.ignored", "share", "scalar", "sampled", "Labels equal to the loss's ignore index."),
    )

    def finish(self, step: OpenStep) -> None:
        """Describe the targets of the first loss."""
        if step.micro is None:
            return
        terms = step.micro.terms
        if terms:
            target, ignore = terms[0].target, terms[0].ignore
            classes = terms[0].prediction.shape[1] if terms[0].kind == "nll" else None
        elif step.micro.targets:
            target, ignore, classes = step.micro.targets[0].detach(), None, None
        else:
            return
        if target.is_floating_point():
            self._numbers(step, target)
        else:
            self._classes(step, target.flatten(), ignore, classes)

    def _classes(self, step: OpenStep, target: Tensor, ignore: int | None, classes: int | None) -> None:
        total = target.numel()
        if target.device.type == "cpu":
            kept = target if ignore is None else target[target != ignore]
            step.v["label.count"] = kept.numel()
            step.v["label.ignored"] = 1 - kept.numel() / total if total else 0.0
            if not kept.numel():
                return
            low, high = (int(end) for end in kept.aminmax())
            step.v["label.min"], step.v["label.max"] = low, high
            width = classes or high + 1
            if low >= 0 and max(width, high + 1) <= _MAX_CLASSES:
                step.v["label.hist"] = torch.bincount(kept.long(), minlength=width).tolist()
        elif classes and classes <= _MAX_CLASSES:
            self._on_device(step, target, classes)

    def _on_device(self, step: OpenStep, target: Tensor, classes: int) -> None:
        """Count without ``bincount``, which would wait for the device."""
        valid = (target >= 0) & (target < classes)
        counts = torch.zeros(classes + 1, device=target.device)
        counts.scatter_add_(
            0, torch.where(valid, target, classes), torch.ones_like(target, dtype=counts.dtype)
        )

        def fill(numbers: list[float]) -> None:
            step.v["label.hist"] = [int(number) for number in numbers[:-1]]
            step.v["label.count"] = int(sum(numbers[:-1]))
            step.v["label.ignored"] = numbers[-1] / max(1.0, sum(numbers))

        step.later(counts, fill)

    def _numbers(self, step: OpenStep, target: Tensor) -> None:
        from .batch import moments_of

        count = target.numel()
        if not count:
            return

        def fill(numbers: list[float]) -> None:
            v = step.v
            v["label.count"] = count
            v["label.mean"], v["label.min"], v["label.max"] = numbers[0], numbers[2], numbers[3]
            v["label.std"] = numbers[1] ** 0.5 if numbers[1] >= 0 else float("nan")
            v["label.nonfinite"] = numbers[4] / count

        step.later(moments_of(target), fill)


class Outputs(Sensor):
    """What the model answered before the update, from the log-probabilities the loss was made of."""

    name = "outputs"
    sampled = True
    FIELDS = (
        Field("output.classes", "count", "scalar", "sampled", "Width of the logits."),
        Field(
            "output.accuracy",
            "share",
            "scalar",
            "sampled",
            "Labels that the model's first choice agrees with.",
        ),
        Field("output.entropy", "nat", "scalar", "sampled", "Mean entropy of the predicted distribution."),
        Field(
            "output.pred_share",
            "share",
            "scalar",
            "sampled",
            "Samples that are given the most predicted class.",
        ),
        Field(
            "output.purity",
            "share",
            "scalar",
            "sampled",
            "Samples whose label is the commonest one of those that were given the same answer: high beside "
            "a low accuracy, the labels mean something else than before.",
        ),
        Field("output.max", "absolute", "scalar", "sampled", "Largest output (logit) in absolute value."),
        Field("output.nonfinite", "share", "scalar", "sampled", "Non-finite outputs."),
    )

    def finish(self, step: OpenStep) -> None:
        """Describe the answers."""
        if step.micro is None:
            return
        outputs = step.micro.outputs
        if outputs is not None and outputs.is_floating_point() and outputs.numel():
            low, high = outputs.aminmax()
            bad = (~torch.isfinite(outputs)).sum()
            ends = torch.stack([low.double().abs(), high.double().abs(), bad.double() / outputs.numel()])
            step.later(ends, lambda numbers: self._range(step, numbers))
        term = next((term for term in step.micro.terms if term.kind == "nll"), None)
        if term is not None:
            if term.prediction.dim() == 2 and term.prediction.numel():
                self._answers(step, term.prediction.float(), term.target, term.ignore)
        elif outputs is not None and step.micro.targets:
            self._own_loss(step, outputs, step.micro.targets[0].detach())

    def _own_loss(self, step: OpenStep, outputs: Tensor, target: Tensor) -> None:
        """Take outputs [n, classes] and whole labels [n] for a classifier, whatever its loss is."""
        classes = not target.is_floating_point() and not target.is_complex()
        if classes and outputs.dim() == 2 and target.shape == outputs.shape[:1] and outputs.shape[1] > 1:
            self._answers(step, outputs.float().log_softmax(1), target, None)

    def _range(self, step: OpenStep, numbers: list[float]) -> None:
        low, high, bad = numbers
        step.v["output.max"] = low if low > high or low != low else high  # noqa: PLR0124 - NaN
        step.v["output.nonfinite"] = bad

    def _answers(self, step: OpenStep, logs: Tensor, target: Tensor, ignore: int | None) -> None:
        """Compare log-probabilities [n, classes] with labels [n]."""
        classes = logs.shape[1]
        step.v["output.classes"] = classes
        choice = logs.argmax(1)
        valid = (target >= 0) & (target < classes)
        if ignore is not None:
            valid &= target.ne(ignore)
        number = valid.sum().clamp(min=1)
        right = ((choice == target) & valid).sum() / number
        entropy = -(logs.exp() * logs).nan_to_num(nan=0.0).sum(1).mean()
        counts = torch.zeros(classes, device=logs.device)
        counts.scatter_add_(0, choice, torch.ones_like(choice, dtype=counts.dtype))
        numbers = [right.float(), entropy, counts.max() / len(choice)]
        names = ["output.accuracy", "output.entropy", "output.pred_share"]
        if classes <= _MAX_CLASSES:
            table = torch.zeros(classes * classes + 1, device=logs.device)
            cell = torch.where(valid, choice * classes + target, classes * classes)
            table.scatter_add_(0, cell, torch.ones_like(cell, dtype=table.dtype))
            numbers.append(table[:-1].view(classes, classes).amax(1).sum() / number)
            names.append("output.purity")
        step.later(torch.stack(numbers), lambda values: step.v.update(zip(names, values, strict=True)))
