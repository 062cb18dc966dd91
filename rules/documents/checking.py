"""Checks of one document against the vocabulary of facts: names, types, thresholds that can never hold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from ..diagnosis import FactValue
from ..facts.registry import FactSpec
from .cause import CauseDocument, FixDocument
from .fields import Document
from .markup import Marked, Path
from .placeholders import placeholders
from .problems import Problem, suggest
from .proof import unproven
from .rule import ConditionDocument, GivenFact, RuleDocument
from .series import parse

DERIVED = ("symptom.", "pattern.", "cause.")
"""Beginnings of the names of conclusions, which other rules may build on."""

Specs = Mapping[str, FactSpec]


def is_derived(fact: str) -> bool:
    """Tell whether a fact is a conclusion of rules and not a measurement."""
    return fact.startswith(DERIVED)


def spec_of(fact: str, specs: Specs) -> FactSpec | None:
    """Return what a fact is; a conclusion is a number from 0 to 1."""
    spec = specs.get(fact)
    if spec is None and is_derived(fact):
        return FactSpec(fact, "number", "", "certainty of a conclusion", "结论的确定度", 0.0, 1.0)
    return spec


def check_document(document: Document, marked: Marked, specs: Specs) -> list[Problem]:
    """Return what is wrong with a document whose fields are right, in the order of the file."""
    if isinstance(document, RuleDocument):
        found = chain(
            _rule(document, marked, specs), _tests(document, marked, specs), unproven(document, marked)
        )
    elif isinstance(document, FixDocument):
        found = chain(_fix(document, marked, specs))
    elif isinstance(document, CauseDocument):
        found = chain(_needs(document, marked, specs))
    else:
        found = chain()
    return sorted(found, key=lambda problem: problem.line or 0)


def _unknown(fact: str, path: Path, marked: Marked, specs: Specs) -> Problem:
    return marked.problem(path, f"no fact is named {fact!r}", suggest(fact, specs))


def _rule(document: RuleDocument, marked: Marked, specs: Specs) -> Iterator[Problem]:
    for where, conditions in (("when", document.when), ("unless", document.unless)):
        for index, condition in enumerate(conditions):
            path: Path = (where, index)
            spec = spec_of(condition.fact, specs)
            if spec is None:
                yield _unknown(condition.fact, (*path, "fact"), marked, specs)
            else:
                yield from _condition(condition, spec, path, marked)
    for fact, why in _contradictions(document.when):
        yield marked.problem(("when",), f"{fact} can never satisfy all conditions: {why}")


def _condition(condition: ConditionDocument, spec: FactSpec, path: Path, marked: Marked) -> Iterator[Problem]:
    operand = condition.operand
    values: list[FactValue] = operand if isinstance(operand, list) else [operand]
    for wrong in wrong_operands(condition.operator, values, spec):
        yield marked.problem((*path, condition.operator), *wrong)


def wrong_operands(op: str, values: Iterable[FactValue], spec: FactSpec) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with what a fact is compared with, and what is valid."""
    if spec.kind != "number" and op not in {"eq", "ne", "in"}:
        yield f"{op} compares numbers, but {spec.name} is a {spec.kind}", "valid: eq, ne, in"
        return
    for value in values:
        if wrong := mismatch(value, spec):
            yield wrong, _range(spec)
        elif isinstance(value, float) and math.isnan(value):
            yield "nan compares with nothing", "valid is a number"
        elif spec.kind == "number" and (why := _impossible(op, float(value), spec)):
            yield why, _range(spec)


def mismatch(value: FactValue, spec: FactSpec) -> str | None:
    """Return why a value cannot be one of a fact, None when it can."""
    kind = "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
    if kind != spec.kind:
        return f"{value!r} is a {kind}, but {spec.name} is a {spec.kind}"
    if spec.choices and value not in spec.choices:
        return f"{spec.name} is never {value!r}"
    return None


def _impossible(op: str, value: float, spec: FactSpec) -> str | None:
    low = -math.inf if spec.low is None else spec.low
    high = math.inf if spec.high is None else spec.high
    if low < value < high:
        return None
    never = {
        "gt": value >= high,
        "ge": value > high,
        "lt": value <= low,
        "le": value < low,
        "eq": not low <= value <= high,
        "in": not low <= value <= high,
    }
    always = {"gt": value < low, "ge": value <= low, "lt": value > high, "le": value >= high}
    if never.get(op):
        return f"{spec.name} {op} {value:g} can never hold"
    # Nothing is above infinity, so an open range is no bound that a threshold could reach.
    if always.get(op) and math.isfinite(value):
        return f"{spec.name} {op} {value:g} always holds"
    return None


def _range(spec: FactSpec) -> str:
    unit = f" {spec.unit}" if spec.unit else ""
    if spec.choices:
        return f"valid: {', '.join(spec.choices)}"
    if spec.kind == "bool":
        return "valid: true, false"
    if spec.kind == "text":
        return "valid is a text in quotes"
    if spec.low is None and spec.high is None:
        return f"valid is a number{unit}"
    bounds = [f"from {spec.low:g}"] if spec.low is not None else []
    bounds += [f"up to {spec.high:g}"] if spec.high is not None else []
    return f"valid is a number {' '.join(bounds)}{unit}"


def _contradictions(conditions: Iterable[ConditionDocument]) -> Iterator[tuple[str, str]]:
    """Yield numeric facts whose conditions exclude each other, with the two that do."""
    bounds: dict[str, tuple[tuple[float, bool, str], tuple[float, bool, str]]] = {}
    for condition in conditions:
        op, operand = condition.operator, condition.operand
        if isinstance(operand, str | bool | list) or op == "ne":
            continue
        value, text = float(operand), f"{op} {operand:g}"
        low, high = bounds.get(condition.fact, ((-math.inf, False, ""), (math.inf, False, "")))
        if op in {"gt", "ge", "eq"}:
            low = max(low, (value, op == "gt", text))
        if op in {"lt", "le", "eq"}:
            high = min(high, (value, op != "lt", text))
        bounds[condition.fact] = low, high
    for fact, ((low_value, above, a), (high_value, reached, b)) in bounds.items():
        if a and b and (low_value > high_value or (low_value == high_value and (above or not reached))):
            yield fact, f"{a} and {b}"


def _tests(document: RuleDocument, marked: Marked, specs: Specs) -> Iterator[Problem]:
    for index, test in enumerate(document.tests):
        for name, given in test.facts.items():
            value: Any = given.value if isinstance(given, GivenFact) else given
            spec = spec_of(name, specs)
            if spec is None:
                yield _unknown(name, ("tests", index, "facts", name), marked, specs)
            elif wrong := mismatch(value, spec):
                yield marked.problem(("tests", index, "facts", name), wrong, _range(spec))
        for name, curve in test.series.items():
            try:
                parse(curve)
            except ValueError as error:
                yield marked.problem(("tests", index, "series", name), str(error))


def _fix(document: FixDocument, marked: Marked, specs: Specs) -> Iterator[Problem]:
    for field in ("text", "fallback", "code"):
        part = getattr(document, field)
        texts = [part] if isinstance(part, str) else [part.en, part.zh] if part else []
        names = dict.fromkeys(p.name for text in texts for p in placeholders(text))
        for name in names:
            if spec_of(name, specs) is None:
                yield _unknown(name, (field,), marked, specs)


def _needs(document: CauseDocument, marked: Marked, specs: Specs) -> Iterator[Problem]:
    for index, name in enumerate(document.needs):
        if spec_of(name, specs) is None:
            yield _unknown(name, ("needs", index), marked, specs)
