"""How the case library grows: insert, search and similarity on SQLite and PostgreSQL, and writers killed.

Usage: python bench/casebase.py [--sizes 10000,100000,1000000] [--on sqlite,postgres] [--keep DIR]
       python bench/casebase.py --compare [--on sqlite,postgres] --keep DIR
       python bench/casebase.py --kill ROUNDS [--on sqlite,postgres]

Prints one table. Exits 1 when a bar is missed: text search p50 under 50 ms and p99 under 250 ms, similar
incidents p50 under 50 ms, bulk insert over 2,000 a second. With ``--keep`` the libraries stay in a folder and
a later call grows them further.

With ``--compare`` every incident of kept libraries is compared with what is looked for, which takes minutes:
the score of the tenth similar incident that a search finds, over the tenth best of all.

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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from heapq import nlargest
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
APART = 10_000_000
"""Added to the numbers of incidents that are added one by one."""
ROUNDS = 200
HEAD = (
    "| database | incidents | bulk insert | add one ms | text search ms | with filters ms | similar ms "
    "| list ms | size |\n|" + "---|" * 9
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


def grow(library: CaseLibrary, crowd: Crowd, first: int, last: int) -> float | None:
    """Add incidents in batches and return how many a second, the making of them left out.

    None where the library is that large already.
    """
    if first >= last:
        return None
    spent = 0.0
    made = crowd.cases(first, last - first)
    while batch := list(islice(made, BATCH)):
        start = time.perf_counter()
        library.add_many(batch)
        spent += time.perf_counter() - start
    return (last - first) / spent


def held(library: CaseLibrary) -> int:
    """Return how many incidents were added in bulk."""
    with library.database.reader() as reader:
        return int(
            reader.value(
                "SELECT count(*) FROM incident WHERE source = 'probes' AND id < ?", [f"{APART:016x}"]
            )
        )


def settle(library: CaseLibrary) -> None:
    """Let the database do what it does by itself between days of use."""
    if library.database.postgres:
        with library.database.reader() as reader:
            reader.connection.execute("VACUUM ANALYZE")


def measure(library: CaseLibrary, crowd: Crowd) -> list[tuple[float, float]]:
    """Return p50 and p99 of text search, search with filters, similar incidents, and the list."""
    texts = [*queries.ALL, *crowd.queries(ROUNDS)]
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
    cases = list(crowd.cases(size + APART, 60))
    return timed([lambda case=case: library.add(case) for case in cases])


def completeness(library: CaseLibrary) -> tuple[int, float, float]:
    """Return how many incidents there are, and how good the tenth found is beside the tenth best of all.

    On average over the causes, and for the cause where it is worst; 1 is as good.
    """
    crowd = Crowd(seed=-1)
    wanted = [of_facts(crowd.facts(cause)) for cause in CAUSES]
    best: list[list[float]] = [[] for _ in wanted]
    with library.database.reader() as reader:
        rarities = [_candidates(reader, one, True)[0] for one in wanted]
        keys = [row[0] for row in reader.rows("SELECT key FROM incident")]
        case = next(iter(briefs(reader, keys[:1]).values()))
        for start in range(0, len(keys), BATCH):
            known = fingerprints(reader, keys[start : start + BATCH]).values()
            for one, rarity, scores in zip(wanted, rarities, best, strict=True):
                scores += [_compare(one, case, other, rarity).score for other in known]
                scores[:] = nlargest(10, scores)
    shares = [
        library.similar(one.facts, 10)[9].score / scores[9] for one, scores in zip(wanted, best, strict=True)
    ]
    return len(keys), sum(shares) / len(shares), min(shares)


def bytes_of(library: CaseLibrary) -> int:
    """Return what the library takes on disk."""
    with library.database.reader() as reader:
        if reader.postgres:
            return int(reader.value("SELECT pg_database_size(current_database())"))
        return int(reader.value("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"))


def run(kind: str, sizes: list[int], url: str) -> list[str]:
    """Print the rows of one database and return the bars that it missed."""
    missed = []
    with CaseLibrary.open(url) as library:
        before = held(library)
        crowd = Crowd(seed=before)
        for size in sizes:
            rate = grow(library, crowd, before, size)
            settle(library)
            before = max(before, size)
            text, filtered, similar, listed = measure(library, crowd)
            one = single(library, crowd, size)
            cells = [
                kind,
                f"{size:,}",
                f"{rate:,.0f}/s" if rate else "-",
                *(f"{a:.1f} / {b:.1f}" for a, b in (one, text, filtered, similar, listed)),
            ]
            print(f"| {' | '.join(cells)} | {bytes_of(library) / 1e6:,.0f} MB |", flush=True)
            bars = {
                "text search p50": (text[0], 50.0),
                "text search p99": (text[1], 250.0),
                "similar p50": (similar[0], 50.0),
                "insert interval": (1000 / rate if rate else 0.0, 0.5),
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
    parser.add_argument("--keep", type=Path, metavar="DIR")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--kill", type=int, default=0, metavar="ROUNDS")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    if not (given.kill or given.compare):
        print(HEAD)
    missed = []
    for kind in given.on.split(","):
        with place(kind, given.keep) as url:
            if given.kill:
                said, wrong = kill(url, given.kill, 16 if kind == "postgres" else 4)
                missed += wrong
                print(
                    f"{kind}: {given.kill} rounds, {said:,} acknowledged, wrong: {wrong or 'nothing'}",
                    flush=True,
                )
            elif given.compare:
                with CaseLibrary.open(url) as library:
                    count, usual, worst = completeness(library)
                print(f"{kind}: {count:,} incidents, found {usual:.3f}, at worst {worst:.3f}", flush=True)
            else:
                missed += run(kind, sizes, url)
    print(*missed, sep="\n")
    return bool(missed)


@contextmanager
def place(kind: str, keep: Path | None) -> Iterator[str]:
    """Yield the address of a library: a new one, or the one kept in a folder."""
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        if kind == "sqlite":
            yield f"sqlite:///{folder.resolve() / 'cases.db'}"
        else:
            data = folder.resolve() / "postgres" if keep else None
            yield stack.enter_context(postgres.server(durable=True, keep=data))


if __name__ == "__main__":
    sys.exit(main())
