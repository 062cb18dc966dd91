from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from spikelore.casebase import CaseLibrary

from .samples import diagnosis, manifest

TESTS = Path(__file__).parents[1]


def start(url: str, name: str, first: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "casebase.writer", url, name, str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TESTS, env={**os.environ})


def kill_after(process: subprocess.Popen[str], lines: int, seconds: float) -> list[str]:
    """Kill a writer some time after it said so many lines, and return all that it said."""
    assert process.stdout is not None
    said = [line for line, _ in zip(process.stdout, range(lines), strict=False)]
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said += process.stdout.readlines()
    process.wait()
    # The last line may be cut: what was not said whole was not acknowledged.
    return [line.strip() for line in said if line.endswith("\n")]


def check(library: CaseLibrary, said: list[str]) -> None:
    """Demand that nothing acknowledged is missing, nothing is there twice, and every part is consistent."""
    lines = library.list(limit=100_000)
    states = {case.id: case.state for case in lines}
    assert len(states) == len(lines)
    assert len({case.run for case in lines}) == len(lines)
    for line in said:
        what, incident = line.split()
        assert incident in states, line
        assert what == "opened" or states[incident] == "resolved", line
    with library.database.reader() as reader:
        assert reader.value("SELECT count(*) FROM document") == len(lines)
        assert reader.value("SELECT count(*) FROM fingerprint") == len(lines)
        assert reader.value("SELECT count(DISTINCT incident) FROM diagnosis") == len(lines)
        resolved = sum(state == "resolved" for state in states.values())
        assert reader.value("SELECT count(*) FROM fix_attempt") == resolved
        if not reader.postgres:
            assert reader.value("PRAGMA integrity_check") == "ok"
    if library.database.path is not None:
        with library.database.session() as session:
            check_index = "INSERT INTO document_index(document_index, rank) VALUES ('integrity-check', 1)"
            session.connection().exec_driver_sql(check_index)


@pytest.mark.slow
def test_killed_writers_lose_nothing_and_double_nothing(url: str) -> None:
    """Four processes on one library are killed again and again; what they acknowledged is there, once."""
    chance = random.Random(5)
    said: list[str] = []
    first = dict.fromkeys("abcd", 0)
    for _ in range(2):
        with ThreadPoolExecutor(8) as pool:
            work = []
            for name, number in first.items():
                # The second of each pair opens the same incidents at the same time.
                for _ in range(2 if name == "a" else 1):
                    process = start(url, name, number, 500)
                    moment = chance.randrange(3, 20), chance.uniform(0, 0.03)
                    work.append((name, pool.submit(kill_after, process, *moment)))
            for name, future in work:
                lines = future.result()
                said += lines
                first[name] = max(first[name], sum(line.startswith("opened") for line in lines))
    assert len(said) >= 2 * 5 * 3
    with CaseLibrary.open(url, starter=False) as library:
        check(library, said)


def test_sixteen_writers_at_once(library: CaseLibrary) -> None:
    """Threads that open different and the same incidents at the same time do not hinder each other."""
    barrier = threading.Barrier(16)

    def work(writer: int) -> list[str]:
        barrier.wait()
        runs = [name for number in range(4) for name in (f"shared-{number}", f"own-{writer}-{number}")]
        return [library.open_incident(diagnosis(run, step=1200 + writer), manifest(run)) for run in runs]

    with ThreadPoolExecutor(16) as pool:
        said = [f"opened {incident}" for found in pool.map(work, range(16)) for incident in found]
    assert len(library.list(limit=1000)) == 4 + 16 * 4
    check(library, said)


def test_readers_see_whole_incidents_while_others_write(library: CaseLibrary) -> None:
    """A search in the middle of writing finds incidents with everything on them."""
    done = threading.Event()
    problems: list[str] = []

    def read() -> None:
        while not done.is_set():
            for hit in library.search("exploding gradients"):
                case = library.get(hit.case.id)
                if case.diagnosis is None or not case.facts:
                    problems.append(case.id)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(25):
        library.open_incident(diagnosis(f"run-{number}"), manifest(f"run-{number}"))
    done.set()
    reader.join()
    assert problems == []
