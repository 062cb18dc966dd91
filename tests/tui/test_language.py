"""Every text of the interface is there in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import spikelore.tui
from spikelore.casebase import CaseLibrary
from spikelore.probes.evidence import RunDirectory
from spikelore.tui import chinese, language
from spikelore.tui.app import SpikeloreApp
from spikelore.tui.chinese import CATALOGUE, help_of
from spikelore.tui.errors import UserError
from spikelore.tui.screens import SCREENS
from textual.pilot import Pilot

from . import samples
from .conftest import until

ROOT = Path(spikelore.tui.__file__).parent
UNTRANSLATED = {"spikelore", "PID", "Torch", "GPU", "English", "中文", ""}


def literal(node: ast.expr | None) -> set[str]:
    """Return the string constants that an argument of `tr` can take."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return literal(node.body) | literal(node.orelse)
    return set()


def texts(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "tr" and node.args:
                found |= literal(node.args[0])
            if node.func.id == "Binding":
                found |= literal(node.args[2])
                found |= {
                    text for word in node.keywords if word.arg == "tooltip" for text in literal(word.value)
                }
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_has_a_chinese_one(path: Path) -> None:
    """A text given to `tr`, a key's name and a tooltip are in the catalogue."""
    assert texts(path) - UNTRANSLATED - CATALOGUE.keys() == set()


def test_placeholders_are_the_same_in_both_languages() -> None:
    """A Chinese text fills in exactly what its English one does."""
    for english, translated in CATALOGUE.items():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", translated)), english


@pytest.mark.parametrize("screen", sorted(set(SCREENS) - {"help"}))
def test_every_screen_is_explained_in_chinese(screen: str) -> None:
    """F1 has a text in Chinese for each screen."""
    assert help_of(screen)


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [
        (None, {}, "en"),
        (None, {"LANG": "zh_CN.UTF-8"}, "zh"),
        (None, {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        (None, {"LANG": "zh_CN.UTF-8", "SPIKELORE_LANG": "en"}, "en"),
        ("zh", {"LANG": "de_DE.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_locale(
    asked: str | None, environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option wins over the environment, the environment over the locale."""
    for name in ("LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language.choose(asked) == expected


def test_another_language_is_refused_with_the_valid_ones() -> None:
    """Asking for a language without texts names those that there are."""
    with pytest.raises(UserError, match="en, zh"):
        language.choose("fr")


class Catalogue(dict[str, str]):
    """The catalogue, noting what it was asked for in vain."""

    def __init__(self) -> None:
        super().__init__(chinese.CATALOGUE)
        self.missed: set[str] = set()

    def get(self, text: str, default: str = "") -> str:  # type: ignore[override]
        if text not in self:
            self.missed.add(text)
        return super().get(text, default)


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalogue]:
    noting = Catalogue()
    monkeypatch.setattr(chinese, "CATALOGUE", noting)
    yield noting
    language.use("en")


async def rest(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: all(one.is_finished or one.group == "follow" for one in pilot.app.workers))


async def test_every_screen_speaks_chinese(spiked: RunDirectory, several: Path, catalogue: Catalogue) -> None:
    """Whatever the screens ask for while they are walked through is there, computed texts too."""
    with CaseLibrary.open() as library:
        samples.cases(library)
    language.use("zh")
    app = SpikeloreApp(spiked)
    async with app.run_test(size=(140, 45)) as pilot:
        await rest(pilot)
        for keys in ("g g g g g g g g a", "f1", "escape", "ctrl+p", "escape", "d", "w", "down", "r", "w"):
            await pilot.press(*keys.split())
            await rest(pilot)
        for keys in ("1", "escape escape escape", "space down c", "g g g g x x e", "2 down space down", "3"):
            await pilot.press(*keys.split())
            await rest(pilot)
        for keys in ("t t", "4", "5"):
            await pilot.press(*keys.split())
            await rest(pilot)
    assert sorted(catalogue.missed - UNTRANSLATED) == []
