"""A process that opens incidents as fast as it can, and says of each that it is kept.

Run as ``python -m casebase.writer URL NAME FIRST COUNT RUNS``: incidents FIRST..FIRST+COUNT of writer NAME.
Two writers with the same NAME open the same incidents.
"""

from __future__ import annotations

import sys

from spikelore.casebase import CaseLibrary, FixTried

from .samples import EXPLODING, diagnosis, manifest


def main(url: str, name: str, first: int, count: int) -> None:
    """Open, resolve every third, and print the id once the library has acknowledged it."""
    with CaseLibrary.open(url, starter=False) as library:
        for number in range(first, first + count):
            run = f"{name}-{number}"
            incident = library.open_incident(diagnosis(run), manifest(run))
            print(f"opened {incident}", flush=True)
            if number % 3 == 0:
                library.resolve(incident, EXPLODING, [FixTried("fix.clip-gradients", "worked")], by=name)
                print(f"resolved {incident}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
