"""Rules that build on conclusions of other rules run after them, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .rule import Rule


class CycleError(Exception):
    """Rules that build on each other in a circle.

    Attributes:
        path: ids of the rules, the first one again at the end.
    """

    def __init__(self, path: Sequence[str]) -> None:
        self.path = list(path)
        super().__init__(
            f"rules build on each other in a circle: {' -> '.join(self.path)}; a rule may only build on "
            "conclusions that do not depend on its own"
        )


MAX_LAYERS = 32


class LayerError(Exception):
    """Rules that build on each other through more layers than anyone can follow.

    Attributes:
        rule: the topmost one.
    """

    def __init__(self, rule: str, count: int) -> None:
        self.rule = rule
        super().__init__(f"rule {rule} stands on {count} layers of rules; valid is up to {MAX_LAYERS}")


def stratify(rules: Iterable[Rule]) -> list[list[Rule]]:
    """Return the rules in layers; each reads only conclusions of layers before its own.

    Raises:
        CycleError: there is no such order.
        LayerError: it takes more than `MAX_LAYERS`.
    """
    by_id = {rule.id: rule for rule in rules}
    producers: dict[str, list[str]] = {}
    for rule in by_id.values():
        producers.setdefault(rule.conclusion, []).append(rule.id)
    needs = {r.id: sorted({p for f in r.facts for p in producers.get(f, ())}) for r in by_id.values()}
    levels = _levels(needs)
    deepest = max(levels, key=lambda name: levels[name], default="")
    if deepest and levels[deepest] >= MAX_LAYERS:
        raise LayerError(deepest, levels[deepest] + 1)
    layers: list[list[Rule]] = [[] for _ in range(max(levels.values(), default=-1) + 1)]
    for identifier in sorted(by_id):
        layers[levels[identifier]].append(by_id[identifier])
    return layers


def _levels(needs: dict[str, list[str]]) -> dict[str, int]:
    """Return the longest path below each rule; written without recursion, as chains may be long."""
    levels: dict[str, int] = {}
    for root in needs:
        path = [] if root in levels else [root]
        on_path = set(path)
        while path:
            rule = path[-1]
            waiting = next((n for n in needs[rule] if n not in levels), None)
            if waiting is None:
                levels[rule] = max((levels[n] + 1 for n in needs[rule]), default=0)
                on_path.discard(path.pop())
            elif waiting in on_path:
                raise CycleError([*path[path.index(waiting) :], waiting])
            else:
                path.append(waiting)
                on_path.add(waiting)
    return levels
