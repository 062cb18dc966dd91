"""Causes, rules and fixes as rows and as whole documents."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content
from textual.highlight import highlight

from ...rules.documents import CauseDocument, FixDocument, RuleDocument
from ...rules.documents.fields import Both
from ...rules.documents.rule import ConditionDocument
from ...rules.rulebase import RuleBase
from ..language import current, tr
from ..numbers import number, percent

KINDS = ("causes", "rules", "fixes")
"""What can be listed."""

DIM = "$foreground 60%"
_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "=", "ne": "!=", "in": "in"}


def said(text: Both | None) -> str:
    """Return a text in the user's language."""
    return "" if text is None else text.zh if current() == "zh" else text.en


def rows(base: RuleBase, kind: str, wanted: str) -> tuple[list[str], dict[str, list[Content]]]:
    """Return headings and rows of one kind of document, those that contain ``wanted``."""
    if kind == "causes":
        return ["Family", "Cause", "Rules"], {
            name: [
                Content.styled(cause.family, DIM),
                Content(said(cause.title)),
                Content.styled(str(len(base.concluding(f"cause.{name}"))), DIM),
            ]
            for name, cause in base.causes.items()
            if _has(wanted, name, said(cause.title), said(cause.summary))
        }
    if kind == "rules":
        return ["Status", "Rule", "Certainty"], {
            name: [
                Content.styled(rule.status, DIM),
                Content(said(rule.title)),
                Content.styled(percent(rule.certainty), DIM),
            ]
            for name, rule in base.rules.items()
            if _has(wanted, name, said(rule.title), *(condition.fact for condition in rule.when))
        }
    return ["When", "Fix"], {
        name: [
            Content.styled(tr("now") if fix.when == "now" else tr("for good"), DIM),
            Content(_fix_title(fix)),
        ]
        for name, fix in base.fixes.items()
        if _has(wanted, name, _fix_title(fix))
    }


def _has(wanted: str, *texts: str) -> bool:
    return not wanted or any(wanted in text.lower() for text in texts)


def _fix_title(fix: FixDocument) -> str:
    return said(fix.title) or said(fix.fallback) or said(fix.text)


def document(base: RuleBase, identifier: str) -> Content:
    """Return a whole document."""
    if identifier in base.causes:
        lines = _cause(base, base.causes[identifier])
    elif identifier in base.rules:
        lines = _rule(base, base.rules[identifier])
    else:
        lines = _fix(base.fixes[identifier])
    path = base.path(identifier)
    if path is not None:
        origin = str(path) if base.is_team(identifier) else f"{tr('shipped')}  {path.name}"
        lines += [Content(""), Content.styled(origin, DIM)]
    return Content("\n").join(lines)


def _head(title: str, identifier: str) -> Content:
    return Content.assemble((title, "bold"), ("  " + identifier, DIM))


def _part(title: str, lines: Iterable[Content]) -> list[Content]:
    lines = list(lines)
    return [Content(""), Content.styled(tr(title), DIM), *lines] if lines else []


def _cause(base: RuleBase, cause: CauseDocument) -> list[Content]:
    fixes = [base.fixes[fix] for fix in cause.fixes if fix in base.fixes]
    return [
        _head(said(cause.title), cause.id),
        Content(said(cause.summary)),
        *([Content(said(cause.why))] if cause.why else []),
        *_part(
            "Concluded by",
            (
                Content.assemble(
                    (f"{percent(rule.certainty):>5}  ", "bold"), said(rule.title), (f"  {rule.id}", DIM)
                )
                for rule in base.concluding(f"cause.{cause.id}")
            ),
        ),
        *_part("Fixes", (Content.assemble((f"{fix.when:>9}  ", DIM), _fix_title(fix)) for fix in fixes)),
        *_part(
            "Facts that decide", [Content.styled(", ".join(cause.needs), "$primary")] if cause.needs else []
        ),
        *_part("References", (Content.styled(reference, DIM) for reference in cause.references)),
    ]


def _rule(base: RuleBase, rule: RuleDocument) -> list[Content]:
    cause = base.causes.get(rule.cause or "")
    concludes = said(cause.title) if cause else rule.conclusion
    return [
        _head(said(rule.title), rule.id),
        Content.assemble(
            (tr("concludes "), DIM), (concludes, "bold"), f" {percent(rule.certainty)}  ", (rule.role, DIM)
        ),
        Content(""),
        Content(said(rule.summary)),
        Content.styled(said(rule.why), DIM),
        *_part("When", map(_condition, rule.when)),
        *_part("Unless", map(_condition, rule.unless)),
        *_part("Explains", [Content(", ".join(rule.explains))] if rule.explains else []),
        *_part("May mislead", (Content(said(text)) for text in rule.falsepositives)),
        *_part("Tests", (Content.assemble(_mark(test.fires), test.name) for test in rule.tests)),
        *_part("References", (Content.styled(reference, DIM) for reference in rule.references)),
    ]


def _condition(condition: ConditionDocument) -> Content:
    operand = condition.operand
    text = ", ".join(map(number, operand)) if isinstance(operand, list) else number(operand)
    return Content.assemble(
        (condition.fact, "$primary"), f" {_SIGNS[condition.operator]} ", (text or '""', "bold")
    )


def _mark(fires: bool) -> tuple[str, str]:
    return (f"✓ {tr('fires')}   ", "$text-success") if fires else (f"· {tr('silent')}  ", DIM)


def _fix(fix: FixDocument) -> list[Content]:
    lines = [_head(_fix_title(fix), fix.id), Content(said(fix.text))]
    if fix.code:
        lines += [Content(""), highlight(fix.code.rstrip(), language=fix.language)]
    return lines


def problems(base: RuleBase) -> Content:
    """Return how much was left out, and the first reason."""
    count = len(base.problems)
    if not count:
        return Content("")
    more = tr("{n} problems; spikelore rules check lists them all.", n=count)
    return Content.assemble(f"△ {base.problems[0]}\n", (more, DIM))
