"""Hashes of checkpoints are of one content, and compared only with notes of whole files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from spikelore.probes.agent.checkpoint_registry import Registry


class WrittenOver(io.FileIO):
    """A file that its job writes over while it is read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size) or b""
        if found:
            self._path.write_bytes(b"the checkpoint of the next epoch")
        return found


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))
    return Registry(tmp_path / "run")


def examine(registry: Registry, stream: Any, path: Path, state: dict[str, Any] | None) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    registry.submit(stream, str(path), state, found.append)
    registry.wait(30)
    return found[0]


def test_a_file_loaded_right_after_saving_matches(registry: Registry, tmp_path: Path) -> None:
    """The load waits for the note of the save before it."""
    path = tmp_path / "last.pt"
    path.write_bytes(b"weights" * 1_000_000)
    found: list[dict[str, Any]] = []
    registry.submit(path.open("rb"), str(path), {"lr": 0.1}, found.append)
    registry.submit(path.open("rb"), str(path), None, found.append)
    registry.wait(30)
    loaded = next(each for each in found if "matches" in each)
    assert loaded["matches"] is True
    assert loaded["saved"] == {"lr": 0.1}


def test_a_file_written_over_while_it_is_read_proves_nothing(registry: Registry, tmp_path: Path) -> None:
    """Such a load neither matches nor differs: a wrong alarm of damage would be worse than none."""
    path = tmp_path / "last.pt"
    path.write_bytes(b"weights")
    assert examine(registry, path.open("rb"), path, {})["sha256"]
    found = examine(registry, WrittenOver(path), path, None)
    assert found["matches"] is None
    assert "written over" in found["error"]
