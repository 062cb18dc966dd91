"""Two thousand damaged logs: a run or one clear line, and no point lost in silence."""

import random
import re
import shutil

import pytest
from spikelore.probes.evidence import EvidenceError
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.probes.importers import import_log

from .mutations import mutated, seeds

PARTS = 8
EACH = 250


@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_logs(part, tmp_path):
    """Whatever happened to a file, the import ends with evidence that reads back, or with one line."""
    chance = random.Random(part)
    originals = seeds()
    for number in range(EACH):
        name = chance.choice(sorted(originals))
        path = tmp_path / "log"
        path.write_bytes(mutated(originals[name], chance))
        where = f"part {part}, number {number}, {name}"
        found = outcome(path, tmp_path / "run")
        if isinstance(found, str):
            assert 0 < len(found) < 2000, where
            assert "\n" not in found, where
            continue
        check(found, where)
        shutil.rmtree(found.directory)


def outcome(path, target):
    """Return the result of an import, or its error as the user sees it."""
    try:
        return import_log(path, target)
    except EvidenceError as error:
        return str(error)


def check(result, where):
    """What was imported reads back whole, in ascending steps."""
    evidence = RunEvidence.load(result.directory).primary
    assert evidence.damaged == 0, where
    assert result.losses >= 1, where
    superseded = result.directory / "superseded.jsonl"
    aside = len(superseded.read_text().splitlines()) if superseded.exists() else 0
    assert len(evidence.steps) + len(evidence.evals) + aside == result.points, where
    for kind in ("step", "eval"):
        for name in evidence.names(kind):
            steps = evidence.series(name, kind).step
            assert (steps[1:] >= steps[:-1]).all(), f"{where}: {name}"


@pytest.mark.parametrize("name", ["csv", "jsonl", "nanogpt", "megatron", "hf-console", "console"])
def test_every_line_is_read_or_counted(name, tmp_path):
    """A line that had a loss and gives none is among those reported as not understood."""
    chance = random.Random(7)
    lines = long_log(name)
    for number in range(40):
        damaged = list(lines)
        for index in chance.sample(range(5, len(lines)), 3):
            damaged[index] = re.sub(r"\d\.\d+", "#?!", damaged[index])
        path = tmp_path / f"log-{number}"
        path.write_text("\n".join(damaged) + "\n")
        result = import_log(path, tmp_path / f"run-{number}")
        assert result.losses + result.unread >= len(lines) - 1, damaged


def long_log(name):
    """Thirty lines of a format, each with one loss."""
    one = {
        "csv": "{i},{loss}",
        "jsonl": '{{"step": {i}, "loss": {loss}}}',
        "nanogpt": "iter {i}: loss {loss}, time 21ms",
        "megatron": " iteration {i}/ 90 | lm loss: {loss} |",
        "hf-console": "{{'loss': {loss}, 'epoch': 1}}",
        "console": "step {i} loss = {loss}",
    }[name]
    head = ["step,loss"] if name == "csv" else []
    return head + [one.format(i=i, loss=round(5.5 - i / 100, 4)) for i in range(30)]
