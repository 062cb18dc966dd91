"""Writing the file of a new rule from its parts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import yaml

from .diagnosis import FactValue
from .documents.checking import Specs, spec_of, wrong_operands
from .documents.fields import CAUSE_ID, OPERATORS, PATTERN_ID, SYMPTOM_ID, Operator, matches
from .documents.problems import suggest
from .engine import Condition
from .engine.condition import SIGNS
from .facts.registry import FactSpec, specs

_OPERATORS: dict[str, Operator] = {"==": "eq"}
for _name in OPERATORS:
    _OPERATORS[_name] = _OPERATORS[SIGNS[_name]] = _name
_CONDITION = re.compile(
    r"\s*(?P<fact>[a-z][\w.-]*)\s*(?P<sign>>=|<=|!=|==|=|>|<|\s(?:gt|ge|lt|le|eq|ne)\s)\s*(?P<value>.+)"
)
_SCHEMA = "# yaml-language-server: $schema={path}\n"
_PLACEHOLDERS = {
    "summary": "Say in one sentence what the rule sees.",
    "why": "Say why that makes the loss jump.",
}


@dataclass(frozen=True)
class Draft:
    """The parts of a new rule.

    Attributes:
        conclusion: id of a cause, a symptom or a pattern.
    """

    id: str
    conclusion: str
    when: Sequence[Condition]
    unless: Sequence[Condition] = ()
    title: str = ""
    summary: str = ""
    why: str = ""
    certainty: float = 0.6
    references: Sequence[str] = field(default=())


def condition(text: str) -> Condition:
    """Return the comparison that a text such as ``grad.norm_ratio >= 10`` states.

    Raises:
        ValueError: it is none, names no fact, or compares a fact with a value of another type or one
            that it always or never passes.
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no condition; valid is for example 'grad.norm_ratio >= 10'")
    operator = _OPERATORS[found["sign"].strip()]
    fact = found["fact"]
    spec = spec_of(fact, specs())
    if spec is None:
        raise ValueError(f"no fact is named {fact!r}; {suggest(fact, specs())}")
    operand = _operand(found["value"].strip(), spec)
    for problem, valid in wrong_operands(operator, [operand], spec):
        raise ValueError(f"{problem}; {valid}")
    return Condition(fact, operator, operand)


def _operand(text: str, spec: FactSpec) -> FactValue:
    plain = text.strip("\"'")
    if spec.kind == "text":
        return plain
    if spec.kind == "bool":
        if plain.lower() in ("true", "false"):
            return plain.lower() == "true"
        raise ValueError(f"{spec.name} is true or false, not {text!r}")
    try:
        return float(plain)
    except ValueError:
        raise ValueError(f"{spec.name} is a number, not {text!r}") from None


def write(draft: Draft, schema: str = "") -> str:
    """Return the file of a rule with a test in which it fires and one in which it does not.

    Args:
        schema: path of the JSON Schema that editors check the file with; no line for it if empty.

    Raises:
        ValueError: it concludes nothing of a known kind, or no facts can satisfy all its conditions.
    """
    kind = _kind(draft.conclusion)
    firing = {each.fact: _satisfying(each.fact, draft, specs()) for each in draft.when}
    silent = firing | {draft.when[0].fact: _failing(draft.when[0], specs())}
    document: dict[str, Any] = {
        "id": draft.id,
        "title": draft.title or draft.id.replace("-", " ").capitalize(),
        "status": "draft",
        kind: draft.conclusion,
        "certainty": draft.certainty,
        "summary": draft.summary or _PLACEHOLDERS["summary"],
        "why": draft.why or _PLACEHOLDERS["why"],
        "when": [_document(each) for each in draft.when],
        "unless": [_document(each) for each in draft.unless],
        "references": list(draft.references),
        "tests": [
            {"name": "fires on its evidence", "facts": firing, "fires": True},
            {"name": f"silent when {draft.when[0].fact} is not so", "facts": silent, "fires": False},
        ],
    }
    for optional in ("unless", "references"):
        if not document[optional]:
            del document[optional]
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    return (_SCHEMA.format(path=schema) if schema else "") + text


def _document(condition: Condition) -> dict[str, Any]:
    operand = condition.value
    return {"fact": condition.fact, condition.op: list(operand) if isinstance(operand, tuple) else operand}


def _kind(conclusion: str) -> str:
    for kind, pattern in (("symptom", SYMPTOM_ID), ("pattern", PATTERN_ID), ("cause", CAUSE_ID)):
        if matches(pattern, conclusion):
            return kind
    raise ValueError(
        f"{conclusion!r} is no conclusion; valid: a cause such as data.loading-error, symptom.x, pattern.x"
    )


def _satisfying(fact: str, draft: Draft, known: Specs) -> FactValue:
    """Return a value on which every condition on a fact holds and none that forbids the rule."""
    wanted = [each for each in draft.when if each.fact == fact]
    forbidding = [each for each in draft.unless if each.fact == fact]
    values = [value for each in (*wanted, *forbidding) for value in _around(each, known)]
    for value in (*values, *_between(values)):
        if all(each.holds(value) for each in wanted) and not any(each.holds(value) for each in forbidding):
            return value
    raise ValueError(f"no value of {fact} satisfies all conditions; valid are conditions that can")


def _between(values: Sequence[FactValue]) -> list[FactValue]:
    """Return the numbers half way between those given."""
    numbers = sorted({float(value) for value in values if not isinstance(value, bool | str)})
    return [(low + high) / 2 for low, high in pairwise(numbers)]


def _failing(each: Condition, known: Specs) -> FactValue:
    return next(value for value in _around(each, known) if not each.holds(value))


def _around(each: Condition, known: Specs) -> list[FactValue]:
    """Return possible values on both sides of a threshold, the plainest first."""
    operand, spec = each.alternatives[0], spec_of(each.fact, known)
    if isinstance(operand, bool):
        return [operand, not operand]
    if isinstance(operand, str):
        choices = [choice for choice in (spec.choices if spec else ()) if choice != operand]
        return [operand, choices[0] if choices else f"not {operand}"]
    wide = max(abs(operand) / 2, 0.001)
    low = -math.inf if spec is None or spec.low is None else spec.low
    high = math.inf if spec is None or spec.high is None else spec.high
    values = [operand + wide, operand - wide, operand, (operand + high) / 2, (operand + low) / 2]
    return [float(f"{value:.6g}") for value in values if math.isfinite(value) and low <= value <= high]
