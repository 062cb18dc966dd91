"""The application in a real terminal: tmux shows what a person would see."""

from __future__ import annotations

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


@pytest.fixture
def terminal(tmp_path: Path, spiked: RunDirectory) -> Iterator[Terminal]:
    command = f"{sys.executable} -m spikelore.tui.cli triage; echo ended with $?; sleep 30"
    opened = Terminal(tmp_path / "tmux", 80, 24, command)
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
