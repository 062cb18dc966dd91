"""Writes the generated documents; with --check says which are out of date and exits 1."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
GENERATED: dict[str, str] = {
    "cli.md": "spikelore.tui.reference:markdown",
    "causes.md": "spikelore.rules.catalogue:causes",
    "evidence.md": "spikelore.probes.evidence_table:markdown",
    "facts.md": "spikelore.rules.catalogue:facts",
    "rules.md": "spikelore.rules.catalogue:rules",
    "importers.md": "spikelore.probes.importers.catalogue:markdown",
}
"""Document -> ``module:function`` that returns its text."""


def render(target: str) -> str:
    """Return the text of one document."""
    module, _, function = target.partition(":")
    make: Callable[[], str] = getattr(importlib.import_module(module), function)
    return make()


def main() -> int:
    """Write or check every generated document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, target in GENERATED.items():
        path, text = HERE / name, render(target)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/{name}: {'out of date; run make docs' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
