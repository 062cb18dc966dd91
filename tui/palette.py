"""The command palette: every action of the screen and every place, by name and by what it does."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from functools import partial
from typing import Any

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from .language import tr


class Actions(Provider):
    """Actions of the screen that the palette was opened on, with their keys."""

    def _actions(self) -> Iterator[tuple[str, str, str, ActiveBinding]]:
        seen = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            # Keys without an id move the cursor of a list; nobody looks for these by name.
            if not (active.enabled and binding.description and binding.id) or binding.action in seen:
                continue
            seen.add(binding.action)
            key = self.app.get_key_display(binding)
            yield binding.description, key, tr(binding.tooltip), active

    async def discover(self) -> Hits:
        """List every action before anything is typed."""
        for name, key, meaning, active in self._actions():
            yield DiscoveryHit(_shown(Content(name), key), self._run(active), text=name, help=meaning)

    async def search(self, query: str) -> Hits:
        """Find actions by name or meaning."""
        matcher = self.matcher(query)
        for name, key, meaning, active in self._actions():
            score = max(matcher.match(name), 0.9 * matcher.match(meaning))
            if score > 0:
                shown = _shown(matcher.highlight(name), key)
                yield Hit(score, shown, self._run(active), text=name, help=meaning)

    def _run(self, active: ActiveBinding) -> partial[Coroutine[Any, Any, bool]]:
        return partial(self.app.run_action, active.binding.action, active.node)


def _shown(name: Content, key: str) -> Content:
    """Return an action's name with the key that does the same without the palette."""
    return Content.assemble(name, "  ", (key, "$primary"))
