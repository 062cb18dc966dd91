"""How the case library grows: insert, search and similarity on SQLite and PostgreSQL, and writers killed.

Usage: python bench/casebase.py [--sizes 10000,100000,1000000] [--on sqlite,postgres] [--kill ROUNDS]

Prints one table. Exits 1 when a bar is missed: text search p50 under 50 ms and p99 under 250 ms, similar
incidents p50 under 50 ms, bulk insert over 2,000 a second. ``found`` is the score of the tenth similar
incident over the score that comparing with every incident would find, on average.

With ``--kill`` writers are killed instead, in so many rounds, and every acknowledged incident is looked for.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from statistics import quantiles

from crowd import CAUSES, Crowd
from spikelore.casebase import CaseLibrary, Filters
from spikelore.casebase.fingerprint import of_facts
from spikelore.casebase.reading import briefs, fingerprints
from spikelore.casebase.similar import _candidates, _compare

# The server of the tests, and their queries with known answers.
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from casebase import postgres, queries, test_concurrency

BATCH = 1000
ROUNDS = 300
HEAD = (
    "| database | incidents | bulk insert | add one ms | text search ms | with filters ms | similar ms "
    "| list ms | found | size |\n|" + "---|" * 10
)


def timed(calls: Sequence[Callable[[], object]]) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds."""
    taken = []
    for call in calls:
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    cut = quantiles(taken, n=100)
    return cut[49], cut[98]


def grow(library: CaseLibrary, crowd: Crowd, first: int, last: int) -> float:
    """Add incidents in batches and return how many a second, the making of them left out."""
    spent = 0.0
    made = crowd.cases(first, last - first)
    while batch := list(islice(made, BATCH)):
        start = time.perf_counter()
        library.add_many(batch)
        spent += time.perf_counter() - start
    return (last - first) / spent


def settle(library: CaseLibrary) -> None:
    """Let the database do what it does by itself between days of use."""
    if library.database.postgres:
        with library.database.reader() as reader:
            reader.connection.execute("VACUUM ANALYZE")


def measure(library: CaseLibrary, crowd: Crowd) -> list[tuple[float, float]]:
    """Return p50 and p99 of text search, search with filters, similar incidents, and the list."""
    texts = [*queries.ALL, *crowd.queries(ROUNDS - len(queries.ALL))]
    facts = [crowd.facts(cause) for cause in list(CAUSES) * (ROUNDS // len(CAUSES))]
    filters = [Filters(project=f"project-{i % 200}", state="resolved") for i in range(len(texts))]
    for text in texts[:10]:
        library.search(text)
    return [
        timed([lambda text=text: library.search(text) for text in texts]),
        timed(
            [lambda text=text, f=f: library.search(text, f) for text, f in zip(texts, filters, strict=True)]
        ),
        timed([lambda fact=fact: library.similar(fact) for fact in facts]),
        timed([lambda f=f: library.list(f, 50) for f in filters[:50]]),
    ]


def single(library: CaseLibrary, crowd: Crowd, size: int) -> tuple[float, float]:
    """Return p50 and p99 of adding one incident, on disk when it is acknowledged."""
    cases = list(crowd.cases(size + 10_000_000, 60))
    return timed([lambda case=case: library.add(case) for case in cases])


def completeness(library: CaseLibrary, crowd: Crowd) -> float:
    """Return how good the tenth similar incident is beside the tenth of all, 1 for as good."""
    shares = []
    with library.database.reader() as reader:
        keys = [row[0] for row in reader.rows("SELECT key FROM incident ORDER BY key DESC LIMIT 20000")]
        known = {}
        for start in range(0, len(keys), BATCH):
            known.update(fingerprints(reader, keys[start : start + BATCH]))
        lines = briefs(reader, keys[:1])
    case = next(iter(lines.values()))
    for cause in CAUSES:
        wanted = of_facts(crowd.facts(cause))
        with library.database.reader() as reader:
            rarity, _ = _candidates(reader, wanted, True)
        every = sorted(
            (_compare(wanted, case, print_, rarity).score for print_ in known.values()), reverse=True
        )
        found = library.similar(wanted.facts, 10)
        shares.append(found[9].score / every[9])
    return sum(shares) / len(shares)


def bytes_of(library: CaseLibrary) -> int:
    """Return what the library takes on disk."""
    with library.database.reader() as reader:
        if reader.postgres:
            return int(reader.value("SELECT pg_database_size(current_database())"))
        return int(reader.value("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))


def run(kind: str, sizes: list[int], url: str) -> list[str]:
    """Print the rows of one database and return the bars that it missed."""
    crowd, before, missed = Crowd(), 0, []
    with CaseLibrary.open(url) as library:
        for size in sizes:
            rate = grow(library, crowd, before, size)
            settle(library)
            before = size
            text, filtered, similar, listed = measure(library, crowd)
            one = single(library, crowd, size)
            share = completeness(library, crowd)
            cells = [
                kind,
                f"{size:,}",
                f"{rate:,.0f}/s",
                *(f"{a:.1f} / {b:.1f}" for a, b in (one, text, filtered, similar, listed)),
            ]
            print(f"| {' | '.join(cells)} | {share:.3f} | {bytes_of(library) / 1e6:,.0f} MB |", flush=True)
            bars = {
                "text search p50": (text[0], 50.0),
                "text search p99": (text[1], 250.0),
                "similar p50": (similar[0], 50.0),
                "insert interval": (1000 / rate, 0.5),
            }
            for name, (value, bar) in bars.items():
                if value > bar:
                    missed.append(f"{kind} {size:,}: {name} {value:.1f} ms, the bar is {bar}")
    return missed


def kill(url: str, rounds: int, writers: int) -> tuple[int, list[str]]:
    """Kill writers at random moments and return how many incidents they acknowledged, and what is wrong."""
    chance = random.Random(1)
    said: list[str] = []
    CaseLibrary.open(url, starter=False).close()
    for number in range(rounds):
        names = [f"{number}-{writer // 2}" for writer in range(writers)]
        running = [test_concurrency.start(url, name, 0, 100_000) for name in names]
        # All at once die after the first has said a few lines, the others wherever they are.
        lines = chance.randrange(1, 12)
        said += test_concurrency.kill_after(running[0], lines, chance.uniform(0, 0.05))
        for process in running[1:]:
            os.kill(process.pid, signal.SIGKILL)
            said += [
                line
                for line in (process.communicate()[0] or "").splitlines(keepends=True)
                if line[-1] == "\n"
            ]
    with CaseLibrary.open(url, starter=False) as library:
        try:
            test_concurrency.check(library, said)
        except AssertionError as error:
            return len(said), [str(error)]
    return len(said), []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--on", default="sqlite,postgres")
    parser.add_argument("--kill", type=int, default=0, metavar="ROUNDS")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    if not given.kill:
        print(HEAD)
    missed = []
    with ExitStack() as stack:
        for kind in given.on.split(","):
            if kind == "postgres":
                url = postgres.fresh_database(stack.enter_context(postgres.server(durable=True)))
            else:
                url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/cases.db"
            if given.kill:
                said, wrong = kill(url, given.kill, 16 if kind == "postgres" else 4)
                print(
                    f"{kind}: {given.kill} rounds, {said:,} acknowledged, wrong: {wrong or 'nothing'}",
                    flush=True,
                )
                missed += wrong
            else:
                missed += run(kind, sizes, url)
    print(*missed, sep="\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
