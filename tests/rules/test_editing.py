"""A rule that is being written is checked as if it were saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikelore.rules.cases import run_cases
from spikelore.rules.drafting import Draft, condition, write
from spikelore.rules.editing import examine
from spikelore.rules.facts.registry import FactSet
from spikelore.rules.rulebase.loading import FileCache

CACHE = FileCache()
SOUND = write(Draft("mine", "model.exploding-gradients", [condition("grad.norm_ratio >= 2")]))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No rules but the shipped ones."""
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path))
    monkeypatch.delenv("SPIKELORE_RULES", raising=False)


def test_a_sound_text_is_in_force_and_its_cases_run() -> None:
    """Nothing is written where rules are kept."""
    found = examine(SOUND, CACHE)
    assert (found.name, found.problems) == ("mine.yaml", [])
    assert found.rule is not None
    assert [result.passed for result in run_cases(found.base, "mine")] == [True, True]
    assert "mine" in found.base.evaluate(FactSet.of({"grad.norm_ratio": 5.0})).firings
    assert "mine" not in examine("", CACHE).base.rules


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("grad.norm_ratio\n", "grad.norm_ration\n", 9, "did you mean grad.norm_ratio"),
        (
            "model.exploding-gradients",
            "model.exploding-gradient",
            4,
            "did you mean model.exploding-gradients",
        ),
        ("certainty: 0.6", "certainty: @", 5, "not YAML"),
        ("id: mine", "id: No Id", 1, "lower case"),
    ],
)
def test_problems_stand_at_lines_of_the_text(old: str, new: str, line: int, said: str) -> None:
    """Also those that show only among the other documents."""
    found = examine(SOUND.replace(old, new, 1), CACHE)
    assert found.rule is None
    assert any(said in str(p) and p.line == line for p in found.problems)
    assert all(problem.file == found.name for problem in found.problems)


def test_the_text_of_a_shipped_rule_stands_in_for_it() -> None:
    """Editing one is an override, and while it is broken the shipped one stays."""
    text = SOUND.replace("id: mine", "id: gradient-over-100")
    assert examine(text, CACHE).base.is_team("gradient-over-100")
    broken = examine(text + "when: [", CACHE)
    assert broken.rule is None
    assert not broken.base.is_team("gradient-over-100")


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=80), st.integers(0, len(SOUND)))
def test_any_text_can_be_examined(typed: str, place: int) -> None:
    """Whatever is half typed at any place."""
    found = examine(SOUND[:place] + typed + SOUND[place:], CACHE)
    assert found.rule is not None or found.problems
