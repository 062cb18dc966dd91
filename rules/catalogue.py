"""The catalogue of causes and rules as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from .diagnosis import FactValue
from .documents import CauseDocument, RuleDocument
from .documents.fields import FAMILIES
from .documents.rule import ConditionDocument, GivenFact
from .facts.registry import FactSpec, specs
from .rulebase import RuleBase

_SYMBOLS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "is", "ne": "is not", "in": "is one of"}


def causes() -> str:
    """Return the page of all causes, by family."""
    base = _shipped()
    lines = ["# Causes", "", "Generated from the library; do not edit.", ""]
    for family in FAMILIES:
        lines += [f"## {family}", ""]
        for cause in base.causes.values():
            if cause.family == family:
                lines += _cause(base, cause)
    return "\n".join(lines)


def rules() -> str:
    """Return the page of all rules, by what they conclude."""
    base = _shipped()
    lines = [
        "# Rules",
        "",
        "Generated from the library; do not edit. [How to write a rule](rule-format.md).",
        "",
    ]
    for rule in sorted(base.rules.values(), key=lambda rule: (rule.conclusion, rule.id)):
        lines += _rule(base, rule)
    return "\n".join(lines)


def facts() -> str:
    """Return the page of all facts that conditions can name."""
    lines = ["# Facts", "", "Generated from the code; do not edit. What conditions of rules can name.", ""]
    lines += ["| fact | type | unit | range | meaning |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| `{s.name}` | {s.kind} | {s.unit} | {_range(s)} | {s.meaning} |" for s in specs().values()]
    return "\n".join([*lines, ""])


def _range(spec: FactSpec) -> str:
    if spec.choices:
        return ", ".join(f"`{choice}`" for choice in spec.choices)
    if spec.low is None:
        return "" if spec.high is None else f"up to {spec.high:g}"
    return f"from {spec.low:g}" + ("" if spec.high is None else f" to {spec.high:g}")


def _shipped() -> RuleBase:
    from .rulebase.folders import LIBRARY, Source

    return RuleBase.load(sources=[Source(LIBRARY, team=False)])


def _cause(base: RuleBase, cause: CauseDocument) -> Iterator[str]:
    concluding = sorted(base.concluding(f"cause.{cause.id}"), key=lambda rule: (-rule.certainty, rule.id))
    yield from (f"### {cause.title.en}", "", f"`{cause.id}` · {cause.title.zh}", "", cause.summary.en, "")
    if why := cause.why or next((rule.why for rule in concluding), None):
        yield from (f"*Why the loss jumps:* {why.en}", "")
    if cause.example:
        yield from (f"*Example:* {cause.example.en}", "")
    else:
        yield from (line for rule in concluding[:1] for line in _example(rule))
    if concluding:
        yield f"Concluded by: {', '.join(f'[{r.id}](rules.md#{r.id})' for r in concluding)}."
        yield ""
    for name in cause.fixes:
        fix = base.fixes[name]
        yield f"- **{'now' if fix.when == 'now' else 'for good'}** {(fix.fallback or fix.text).en}"
    yield ""
    yield from (f"See {url}" for url in cause.references)
    yield ""


def _rule(base: RuleBase, rule: RuleDocument) -> Iterator[str]:
    yield from (f"## {rule.id}", "", f"**{rule.title.en}** · {rule.title.zh}", "")
    role = "" if rule.role == "root" else " (contributing)"
    yield f"Concludes `{rule.conclusion}`{role} with certainty {rule.certainty:g}; status {rule.status}."
    yield from ("", rule.summary.en, "", f"*Why:* {rule.why.en}", "", "When all of:", "")
    yield from (f"- {_condition(condition)}" for condition in rule.when)
    if rule.unless:
        yield from ("", "Unless:", "")
        yield from (f"- {_condition(condition)}" for condition in rule.unless)
    yield ""
    yield from _example(rule)
    yield from _relations(base, rule)
    yield from (f"See {url}" for url in rule.references)
    yield ""


def _example(rule: RuleDocument) -> Iterator[str]:
    """Yield the first case in which a rule fires, as a sentence."""
    case = next((case for case in rule.tests if case.fires), None)
    if case is None:
        return
    given = [f"`{name}` {_given(value)}" for name, value in case.facts.items()]
    given += [f"`{name}` as `{curve}`" for name, curve in case.series.items()]
    yield from (f"*Example:* fires on {', '.join(given)}.", "")


def _given(value: FactValue | GivenFact) -> str:
    return _operand(value.value if isinstance(value, GivenFact) else value)


def _relations(base: RuleBase, rule: RuleDocument) -> Iterator[str]:
    """Yield what follows from a rule, what it could be confused with, and what proves it."""
    sentences = {
        "Explains": [f"`{name}`" for name in rule.explains],
        "Told apart by a test from": [f"[{name}](#{name})" for name in rule.related],
        "May be wrong on": [text.en.rstrip(".") for text in rule.falsepositives],
        "Right in the recorded runs": [f"`{name}`" for name in rule.recorded],
    }
    for beginning, parts in sentences.items():
        if parts:
            yield from (f"{beginning}: {', '.join(parts)}.", "")
    fixes = base.causes[rule.cause].fixes if rule.cause in base.causes else []
    if fixes:
        yield "Fixes:"
        yield ""
        for name in fixes:
            fix = base.fixes[name]
            title = fix.title or fix.fallback or fix.text
            yield f"- {title.en} (`{name}`)"
        yield ""


def _condition(condition: ConditionDocument) -> str:
    operand = condition.operand
    shown = ", ".join(map(str, operand)) if isinstance(operand, list) else _operand(operand)
    return f"`{condition.fact}` {_SYMBOLS[condition.operator]} {shown}"


def _operand(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "empty" if value == "" else f"{value}"
