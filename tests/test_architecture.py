"""The layers hold at run time, and a job pays only for what it uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "textual", "sqlmodel", "sqlalchemy", "pandas")


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["spikelore", "spikelore.probes.evidence", "spikelore.probes.launch", "spikelore.tui.cli"],
)
def test_entry_points_import_nothing_heavy(module: str) -> None:
    """Importing the package, its schema, the launcher or the command line loads no large library."""
    assert not loaded_by(f"import {module}") & set(HEAVY)


def test_rules_know_only_the_evidence_of_the_probes() -> None:
    """A diagnosis needs neither the probes' machinery nor torch, a database or a terminal."""
    modules = loaded_by("from spikelore.rules import diagnose")
    probes = {name for name in modules if name.startswith("spikelore.probes.")}
    assert {name for name in probes if not name.startswith("spikelore.probes.evidence")} == set()
    assert not modules & {"torch", "textual", "sqlmodel", "sqlalchemy"}


@pytest.mark.parametrize("name", ["probes", "rules", "casebase", "tui"])
def test_generic_names_stay_free(name: str) -> None:
    """The packages are importable below spikelore only, so that a job's own probes.py wins."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"], capture_output=True, text=True, check=False, cwd="/"
    )
    assert "No module named" in done.stderr
