"""Why a cause was not concluded: what failed, what was not measured, what forbids it."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnosis import NotCause
from ..documents import RuleDocument
from ..documents.checking import is_derived
from ..documents.rule import derived_name
from ..engine import Condition, Outcome, Rule
from ..rulebase import RuleBase
from .because import conclusion_title
from .wording import Lang, meaning, say, value_text, wanted_text

_DEPTH = 3
"""Layers of conclusions that an answer follows down to facts."""


def why_not(outcome: Outcome, base: RuleBase, verdict: str, lang: Lang) -> list[NotCause]:
    """Return every cause that no rule concluded, the nearest miss first."""
    concluded = {base.rules[f.rule].cause for f in outcome.firings.values()}
    missing: list[tuple[float, NotCause]] = []
    for name, cause in base.causes.items():
        if name not in concluded:
            sentences, share = _answer(derived_name(name), outcome, base, verdict, lang)
            missing.append((-share, NotCause(name, sentences, cause.title.pick(lang))))
    return [answer for _, answer in sorted(missing, key=lambda item: (item[0], item[1].id))]


def _answer(
    derived: str, outcome: Outcome, base: RuleBase, verdict: str, lang: Lang
) -> tuple[list[str], float]:
    rules = base.concluding(derived)
    if not rules:
        return [say("no_rule", lang)], 0.0
    applicable = [rule for rule in rules if Rule.of(rule).applies_to(verdict)]
    if not applicable:
        return [say("other_verdict", lang)], 0.0
    nearest = max(applicable, key=lambda rule: (satisfied(rule, outcome), rule.certainty))
    sentences = dict.fromkeys(explain_rule(nearest, outcome, base, lang))
    return list(sentences), satisfied(nearest, outcome)


def satisfied(rule: RuleDocument, outcome: Outcome) -> float:
    """Return the share of a rule's conditions that hold; a veto counts like a failed condition."""
    judged = [Condition.of(c).judge(outcome.facts) for c in rule.when]
    vetoes = [Condition.of(c).judge(outcome.facts) == "yes" for c in rule.unless]
    return judged.count("yes") / (len(judged) + sum(vetoes))


def explain_rule(
    rule: RuleDocument, outcome: Outcome, base: RuleBase, lang: Lang, depth: int = _DEPTH
) -> Iterator[str]:
    """Yield a sentence for everything that kept a rule from firing."""
    for document in rule.when:
        yield from _condition(Condition.of(document), outcome, base, lang, depth)
    for document in rule.unless:
        condition = Condition.of(document)
        if condition.judge(outcome.facts) == "yes":
            yield _veto(condition, outcome, base, lang)


def _condition(
    condition: Condition, outcome: Outcome, base: RuleBase, lang: Lang, depth: int
) -> Iterator[str]:
    fact, state = condition.fact, condition.judge(outcome.facts)
    if state == "yes":
        return
    if is_derived(fact):
        yield from _conclusion(condition, outcome, base, lang, depth)
    elif state == "unknown":
        yield say("unknown", lang, what=meaning(fact, lang), fact=fact)
    else:
        value = value_text(fact, outcome.facts[fact].value, lang)
        yield say("failed", lang, what=meaning(fact, lang), value=value, wanted=wanted_text(condition, lang))


def _conclusion(
    condition: Condition, outcome: Outcome, base: RuleBase, lang: Lang, depth: int
) -> Iterator[str]:
    title = conclusion_title(condition.fact, base, lang)
    if condition.fact in outcome.facts:
        value = value_text(condition.fact, outcome.facts[condition.fact].value, lang)
        yield say("conclusion_weak", lang, what=title, value=value, wanted=wanted_text(condition, lang))
        return
    yield say("conclusion_missing", lang, what=title)
    rules = base.concluding(condition.fact)
    if depth and rules:
        nearest = max(rules, key=lambda rule: satisfied(rule, outcome))
        yield from explain_rule(nearest, outcome, base, lang, depth - 1)


def _veto(condition: Condition, outcome: Outcome, base: RuleBase, lang: Lang) -> str:
    value = value_text(condition.fact, outcome.facts[condition.fact].value, lang)
    if is_derived(condition.fact):
        return say("conclusion_veto", lang, what=conclusion_title(condition.fact, base, lang), value=value)
    return say("vetoed", lang, what=meaning(condition.fact, lang), value=value)
