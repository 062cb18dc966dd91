"""A session of the probes in the tests' own process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from spikelore.probes.agent.session import Session, begin
from spikelore.probes.agent.settings import Settings
from spikelore.probes.evidence import RunDirectory, RunManifest


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Probes that record into a run directory of their own until the test is over."""
    run = RunDirectory.create(tmp_path / "run", RunManifest("run", 0.0))
    started = begin(Settings(run.path))
    yield started
    started.lifecycle.end()
