"""Checks that need the whole set: references between documents, and rules that build on each other."""

from __future__ import annotations

from collections.abc import Iterator, Set

from ..documents import CauseDocument, DocumentError, Problem, RuleDocument, markup
from ..documents.checking import is_derived
from ..documents.markup import Path
from ..documents.problems import suggest
from ..documents.reading import read_text
from ..engine import CycleError, LayerError, Rule
from ..engine.strata import stratify
from .loading import Entry, Loaded


def link(loaded: Loaded) -> list[Rule]:
    """Return the rules that can run; those that cannot are dropped with a problem each."""
    _drop_unknown(loaded)
    loaded.problems += _loose_ends(loaded)
    return _drop_cycles(loaded)


def rules_of(loaded: Loaded) -> dict[str, RuleDocument]:
    """Return the rule documents by id."""
    documents = {name: entry.document for name, entry in loaded.entries["rules"].items()}
    return {name: d for name, d in documents.items() if isinstance(d, RuleDocument)}


def _drop_unknown(loaded: Loaded) -> None:
    """Drop rules that conclude an unknown cause, and then those that read conclusions nobody draws."""
    causes = loaded.entries["causes"]
    for name, rule in rules_of(loaded).items():
        if rule.cause in loaded.disabled["causes"]:
            del loaded.entries["rules"][name]
        elif rule.cause is not None and rule.cause not in causes:
            problem = (("cause",), f"no cause is named {rule.cause!r}", suggest(rule.cause, causes))
            _drop(loaded, name, problem)
    while True:
        rules = rules_of(loaded)
        drawn = {rule.derived_fact for rule in rules.values()}
        bad = [(name, hit) for name, rule in rules.items() if (hit := _undrawn(rule, drawn))]
        if not bad:
            return
        for name, (path, fact) in bad:
            _drop(loaded, name, (path, f"no rule concludes {fact!r}", suggest(fact, drawn)))


def _undrawn(rule: RuleDocument, drawn: set[str]) -> tuple[Path, str] | None:
    for where, conditions in (("when", rule.when), ("unless", rule.unless)):
        for index, condition in enumerate(conditions):
            if is_derived(condition.fact) and condition.fact not in drawn:
                return (where, index, "fact"), condition.fact
    return None


def _drop(loaded: Loaded, name: str, problem: tuple[Path, str, str]) -> None:
    """Report a rule and put the one that it replaced back in its place."""
    entry = loaded.entries["rules"].pop(name)
    loaded.problems.append(placed(entry, *problem))
    if (earlier := loaded.overridden["rules"].pop(name, None)) is not None:
        loaded.entries["rules"][name] = earlier


def placed(entry: Entry, path: Path, problem: str, valid: str = "", severity: str = "error") -> Problem:
    """Return a problem with its line; the file is parsed again for it, as problems are rare."""
    file = str(entry.found.path)
    try:
        return markup.parse(read_text(entry.found.path), file).problem(path, problem, valid, severity)
    except DocumentError:
        return Problem(file, None, markup.spell_path(path), problem, valid, severity)


def _loose_ends(loaded: Loaded) -> Iterator[Problem]:
    """Yield references that lead nowhere; the document stands without them."""
    rules = rules_of(loaded)
    fixes = loaded.entries["fixes"].keys()
    conclusions = {rule.conclusion for rule in rules.values()} | loaded.entries["causes"].keys()
    for name, rule in rules.items():
        entry = loaded.entries["rules"][name]
        yield from _missing(entry, "related", rule.related, rules.keys(), "rule")
        yield from _missing(entry, "explains", rule.explains, conclusions, "conclusion")
    for entry in loaded.entries["causes"].values():
        if isinstance(entry.document, CauseDocument):
            yield from _missing(entry, "fixes", entry.document.fixes, fixes, "fix")


def _missing(entry: Entry, field: str, names: list[str], known: Set[str], what: str) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name not in known:
            problem = f"no {what} is named {name!r}"
            yield placed(entry, (field, index), problem, suggest(name, known), "warning")


def _drop_cycles(loaded: Loaded) -> list[Rule]:
    """Return the engine's rules; of a cycle the last rule goes, one of the team before a shipped one."""
    while True:
        rules = [Rule.of(document) for document in rules_of(loaded).values()]
        try:
            stratify(rules)
        except CycleError as error:
            worst = max(set(error.path), key=lambda name: _rank(loaded, name))
            _drop(loaded, worst, (("when",), str(error), ""))
        except LayerError as error:
            _drop(loaded, error.rule, (("when",), str(error), ""))
        else:
            return rules


def _rank(loaded: Loaded, name: str) -> tuple[bool, str]:
    return loaded.entries["rules"][name].found.source.team, name
