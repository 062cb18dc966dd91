"""Which conclusions are causes, which of them are roots, in which order, and which cannot be told apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..documents import RuleDocument
from ..documents.rule import derived_name
from ..engine import Condition, Firing, Outcome
from ..rulebase import RuleBase

LEAST = 0.05
"""Certainty below which a cause is not worth naming."""
TIE = 0.05
"""Root causes whose certainties differ by less cannot be told apart."""
OPEN = 0.5
"""Certainty that is left to a cause while another one that would explain it cannot be ruled out."""
_IF_SEEN = {"label", "bn"}
_ALWAYS = {"batch", "grad", "update", "mode", "optimizer", "lr", "weight", "output", "loss", "model"}
_OF_SOME = {
    "batch.column_extreme", "label.consistent", "label.kept", "label.none_valid", "label.nonfinite",
    "label.out_of_range", "label.value_std_ratio", "label.value_z", "optimizer.beta2",
}  # fmt: skip
"""Facts of those families that only tables, classes, real-valued targets or Adam have."""
EXPLAINS_FROM = 0.5
"""Share of another cause's certainty that a conclusion needs to explain it away."""


@dataclass
class Conclusion:
    """A cause that rules concluded.

    Attributes:
        firings: the rules, the most certain first.
        explained_by: causes that it follows from.
        tied: other root causes that the evidence cannot tell from it.
    """

    id: str
    certainty: float
    firings: list[Firing]
    contributing: bool = False
    explained_by: list[str] = field(default_factory=list)
    tied: list[str] = field(default_factory=list)


def rank(outcome: Outcome, base: RuleBase) -> list[Conclusion]:
    """Return the causes, root causes before contributing ones and the most certain first."""
    found = _conclusions(outcome, base)
    _explain_away(found, outcome, base)
    for conclusion in found.values():
        roles = {base.rules[firing.rule].role for firing in conclusion.firings}
        conclusion.contributing = bool(conclusion.explained_by) or roles == {"contributing"}
    ranked = sorted(found.values(), key=lambda c: (c.contributing, -c.certainty, c.id))
    roots = [conclusion for conclusion in ranked if not conclusion.contributing]
    if roots:
        _leave_open(roots, outcome, base)
        _mark_ties(roots)
    return ranked


def _leave_open(roots: list[Conclusion], outcome: Outcome, base: RuleBase) -> None:
    """Hold all back where another cause would explain the first, had a fact not been left unmeasured."""
    first = roots[0]
    for rule in base.rules.values():
        apart = rule.cause != first.id and rule.id not in outcome.firings
        if apart and first.id in rule.explains and is_blind(rule, outcome):
            for root in roots:
                root.certainty = min(root.certainty, OPEN)
            return


def is_blind(rule: RuleDocument, outcome: Outcome) -> bool:
    """Tell whether nothing but facts that its recording should have keeps a rule from firing.

    Facts of what a job may lack, such as attention, BatchNorm, a GPU or a resume, are unknown for that
    reason; those of batches, gradients, updates, mode and optimizer are unknown for want of looking.
    """
    if any(Condition.of(document).judge(outcome.facts) == "yes" for document in rule.unless):
        return False
    families = {name.partition(".")[0] for name in outcome.facts}
    held = blind = 0
    for document in rule.when:
        state = Condition.of(document).judge(outcome.facts)
        missing = state == "unknown" and _is_expected(document.fact, families)
        if state == "no" or (state == "unknown" and not missing):
            return False
        held, blind = held + (state == "yes"), blind + missing
    return bool(held and blind)


def _is_expected(fact: str, families: set[str]) -> bool:
    """Whether every recording with as much as this one has should know a fact."""
    family = fact.partition(".")[0]
    seen = family in families if family in _IF_SEEN else family in _ALWAYS
    return seen and fact not in _OF_SOME


def _conclusions(outcome: Outcome, base: RuleBase) -> dict[str, Conclusion]:
    by_cause: dict[str, list[Firing]] = {}
    for firing in outcome.firings.values():
        cause = base.rules[firing.rule].cause
        if cause is not None:
            by_cause.setdefault(cause, []).append(firing)
    found = {}
    for cause, firings in by_cause.items():
        certainty = outcome.certainty(derived_name(cause))
        if certainty >= LEAST:
            firings.sort(key=lambda firing: (-firing.certainty, firing.rule))
            found[cause] = Conclusion(cause, certainty, firings)
    return found


def _explain_away(found: dict[str, Conclusion], outcome: Outcome, base: RuleBase) -> None:
    """Note for each cause the others that it follows from.

    Of two causes that explain each other, the more certain one stays.
    """
    explains = {cause: _explained(c.firings, outcome, base) for cause, c in found.items()}
    for cause, conclusion in found.items():
        for other, names in explains.items():
            if other == cause or cause not in names:
                continue
            strong = found[other].certainty >= EXPLAINS_FROM * conclusion.certainty
            mutual = other in explains[cause]
            if strong and not (mutual and _before(conclusion, found[other])):
                conclusion.explained_by.append(other)


def _explained(firings: Iterable[Firing], outcome: Outcome, base: RuleBase) -> set[str]:
    """Return the causes that a conclusion explains, also through a symptom that they rest on alone."""
    named = {name for firing in firings for name in base.rules[firing.rule].explains}
    symptoms = {name for name in named if name.startswith("symptom.")}
    through = set()
    for firing in outcome.firings.values():
        rule = base.rules[firing.rule]
        if rule.cause is not None and any(condition.fact in symptoms for condition in rule.when):
            through.add(rule.cause)
    return named | through


def _before(one: Conclusion, other: Conclusion) -> bool:
    return (-one.certainty, one.id) < (-other.certainty, other.id)


def _mark_ties(roots: list[Conclusion]) -> None:
    """Note which causes are as good as the best; a tie further down decides nothing."""
    best = [c for c in roots if roots[0].certainty - c.certainty < TIE]
    for conclusion in best if len(best) > 1 else []:
        conclusion.tied = [c.id for c in best if c is not conclusion]
