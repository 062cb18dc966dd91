"""The application in a real terminal: tmux shows what a person would see."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from spikelore.probes.evidence import RunDirectory

TMUX = shutil.which("tmux")
pytestmark = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


class Terminal:
    """A tmux session of its own."""

    def __init__(self, socket: Path, columns: int, rows: int, command: str) -> None:
        self._socket = str(socket)
        size = ["-x", str(columns), "-y", str(rows)]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, command)

    def _tmux(self, *args: str) -> str:
        command = [TMUX or "tmux", "-S", self._socket, *args]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def colours(self) -> set[str]:
        """Return the foreground colours in use, as the terminal was told them."""
        return set(
            re.findall(
                r"\x1b\[[0-9;]*?((?:38;[25];[0-9;]+)|(?:3|9)[0-7])m", self._tmux("capture-pane", "-ep")
            )
        )

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def resize(self, columns: int, rows: int) -> None:
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def shows(self, text: str, seconds: float = 20.0) -> str:
        """Return the screen once it shows a text; fail with the screen if it never does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if text in (seen := self.screen()):
                return seen
            time.sleep(0.05)
        pytest.fail(f"never saw {text!r}:\n{self.screen()}")

    def hides(self, text: str) -> None:
        """Wait until a text is gone."""
        deadline = time.monotonic() + 20
        while text in self.screen():
            assert time.monotonic() < deadline, self.screen()
            time.sleep(0.05)

    def close(self) -> None:
        subprocess.run([TMUX or "tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True)


COMMAND = f"{sys.executable} -m spikelore.tui.cli triage; echo ended with $?; sleep 30"


@pytest.fixture
def terminal(tmp_path: Path, spiked: RunDirectory) -> Iterator[Terminal]:
    opened = Terminal(tmp_path / "tmux", 80, 24, COMMAND)
    yield opened
    opened.close()


@pytest.fixture
def plain_terminal(
    request: pytest.FixtureRequest, tmp_path: Path, several: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """A terminal of few colours, or one whose user wants none."""
    for name in ("COLORTERM", "TEXTUAL_COLOR_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    opened = Terminal(tmp_path / "tmux", 80, 24, f"export {request.param}; {COMMAND}")
    yield opened
    opened.close()


def test_a_night_at_the_login_node(terminal: Terminal) -> None:
    """In 80x24: the list, the curves, the diagnosis, a copied fix, a resized window, help, and out."""
    assert "▲ spike at 842" in terminal.shows("resnet-digits")
    terminal.press("Enter")
    assert "Learning rate surge" in terminal.shows("Loss spike")
    terminal.press("d")
    assert "94 %" in terminal.shows("strategy.lr-surge")
    terminal.press("c")
    terminal.shows("Copied")
    terminal.resize(140, 45)
    terminal.shows("lr.lead_steps")
    terminal.press("F1")
    terminal.shows("Copy the fix to the clipboard")
    terminal.press("Escape")
    terminal.hides("Copy the fix to the clipboard")
    terminal.press("q")
    terminal.shows("ended with 0")


@pytest.mark.parametrize("plain_terminal", ["TERM=xterm", "NO_COLOR=1"], indirect=True)
def test_few_colours_or_none_still_tell_everything(plain_terminal: Terminal) -> None:
    """States, the alarm and the ranking are told by signs and words, colours only add to them."""
    seen = plain_terminal.shows("▲ spike at 842")
    for state in ("● running", "✓ finished", "✗ failed", "↓ imported"):
        assert state in seen
    assert len(plain_terminal.colours()) <= 16
    plain_terminal.press("/")
    plain_terminal.shows("Filter by name")
    # In one go, as from a paste: enter opens what the text leaves, not what was there before.
    plain_terminal.press(*"resnet", "Enter")
    plain_terminal.shows("Loss spike")
    plain_terminal.press("d")
    assert "94 %" in plain_terminal.shows("strategy.lr-surge")
    plain_terminal.press("q")
    plain_terminal.shows("ended with 0")
