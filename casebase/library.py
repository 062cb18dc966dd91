"""The library as the rest of the product sees it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..rules.diagnosis import Diagnosis, FactValue, Similar
from . import advice, fingerprint, reading, schema, similar
from .checks import check_cause, check_fixes
from .database import Database
from .errors import CaseError
from .search.find import find
from .values import Case, Filters, FixTried, Hit

if TYPE_CHECKING:
    from ..probes.evidence.rundir import RunManifest
    from .exchange import ExportReport
    from .intake import ImportReport
    from .store import Store
    from .values import Brief, Statistics, Told, Window

_COMPARED = 200
"""Similar incidents whose outcomes count for advice."""
_SHOWN = 5
"""Similar incidents that a diagnosis names."""


class CaseLibrary:
    """Incidents, what they turned out to be, and which fixes worked.

    Safe to use from several threads and processes at once. Every method raises `CaseError` where the
    database cannot be reached, the id is unknown or a value is not valid.

    Args:
        database: where the library lives.
        starter: whether the cases that come with the product are shown.
    """

    def __init__(self, database: Database, starter: bool = True) -> None:
        self.database = database
        self.starter = starter

    @classmethod
    def open(cls, url: str | None = None, starter: bool | None = None) -> CaseLibrary:
        """Open a library, made or brought up to date where needed.

        Args:
            url: ``sqlite:///FILE`` or ``postgresql://…``; ``$SPIKELORE_DB`` or the user's own file if None.
            starter: whether the cases that come with the product are shown; where None,
                ``$SPIKELORE_STARTER`` decides (0 hides them).

        Raises:
            CaseError: the address is none, or the database cannot be reached.
        """
        if starter is None:
            starter = os.environ.get("SPIKELORE_STARTER", "1") not in ("0", "no", "off", "false")
        library = cls(Database(url), starter)
        schema.ensure_current(library.database)
        if starter:
            from .starter import ensure_loaded

            # A library that may only be read is still worth reading.
            with suppress(CaseError):
                ensure_loaded(library)
        return library

    def close(self) -> None:
        """Close every connection; the library opens new ones if it is used again."""
        self.database.close()

    def __enter__(self) -> CaseLibrary:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @cached_property
    def store(self) -> Store:
        """The writing side; imported only when something is written."""
        from .store import Store

        return Store(self.database)

    # Writing

    def open_incident(
        self,
        diagnosis: Diagnosis,
        manifest: RunManifest,
        window: Window | None = None,
        shape: bytes = b"",
        sole: bool = False,
        told: Told | None = None,
    ) -> str:
        """Open the incident of a diagnosis and return its id; asked again, bring it up to date.

        One run has one incident per onset: an onset that moved by a few steps is the same, and any is where
        ``sole`` says that the run had one alarm at most.
        """
        from .opening import case_of, open_incident

        return open_incident(self, case_of(diagnosis, manifest, window, told), manifest, shape, sole)

    def resolve(
        self, identifier: str, cause: str, fixes: Sequence[FixTried] = (), note: str = "", by: str = ""
    ) -> Case:
        """Close an incident with its confirmed cause, the fixes tried and a note, and return it."""
        from .resolving import resolve

        return resolve(self, identifier, cause, fixes, note, by)

    def dismiss(self, run: str, diagnosis: Diagnosis) -> Sequence[str]:
        """Close the open incidents of a run that turned out to have none, and return their ids."""
        from .resolving import dismiss

        return dismiss(self, run, diagnosis)

    def unresolve(self, identifier: str) -> Case:
        """Take back the last resolving, with the fixes and the note that came with it."""
        from .resolving import unresolve

        return unresolve(self, identifier)

    def add_fix(self, identifier: str, fix: FixTried) -> Case:
        """Note an attempt at a fix, or overrule the outcome of one (give its `FixTried.id`)."""
        from .resolving import add_fix

        return add_fix(self, identifier, fix)

    def add(self, case: Case) -> str:
        """Add a case written by hand and return its id; the same case twice is one."""
        if case.confirmed:
            check_cause(case.confirmed)
        check_fixes(case.fixes)
        return self.add_many([case])[0]

    def add_many(self, cases: Sequence[Case]) -> list[str]:
        """Add cases in one transaction and return their ids; cases that are there stay as they are."""
        prints = [
            fingerprint.of_diagnosis(case.diagnosis) if case.diagnosis else fingerprint.of_facts(case.facts)
            for case in cases
        ]
        with self.database.session() as session:
            self.store.add(session, cases, prints)
        return [case.id for case in cases]

    def note(self, identifier: str, text: str, by: str = "") -> Case:
        """Write a note on an incident."""
        from .annotating import add_note

        return add_note(self, identifier, text, by)

    def tag(self, identifier: str, *names: str) -> Case:
        """Put tags on an incident."""
        from .annotating import add_tags

        return add_tags(self, identifier, names)

    def untag(self, identifier: str, *names: str) -> Case:
        """Take tags off an incident."""
        from .annotating import remove_tags

        return remove_tags(self, identifier, names)

    def attach(self, identifier: str, name: str, content: bytes, media: str = "") -> Case:
        """Keep a small file with an incident."""
        from .annotating import attach

        return attach(self, identifier, name, content, media)

    # Reading

    def get(self, identifier: str) -> Case:
        """Return a case by its id or the unambiguous start of it."""
        with self.database.reader() as reader:
            return reading.whole(reader, reading.find_key(reader, identifier))

    def attachment(self, identifier: str, sha256: str) -> bytes:
        """Return the content of an attachment."""
        from .annotating import attachment

        return attachment(self, identifier, sha256)

    def list(self, filters: Filters | None = None, limit: int = 100, offset: int = 0) -> list[Brief]:
        """Return incidents that pass the filters, newest first."""
        with self.database.reader() as reader:
            return reading.listed(reader, filters or Filters(), self.starter, limit, offset)

    def search(self, text: str, filters: Filters | None = None, limit: int = 20) -> Sequence[Hit]:
        """Return the cases that answer a text best, in English or Chinese, misspelt or not.

        Without a text, the newest that pass the filters. ``cause:ID``, ``project:NAME`` and the like may
        stand in the text too.
        """
        with self.database.reader() as reader:
            return find(reader, text, filters or Filters(), self.starter, limit)

    def similar(
        self, wanted: Diagnosis | Mapping[str, FactValue], limit: int = _SHOWN, without: Sequence[str] = ()
    ) -> Sequence[Similar]:
        """Return the incidents most like a diagnosis, or like facts alone, best first.

        Args:
            wanted: the diagnosis, or fact name to value.
            limit: at most so many.
            without: ids of incidents to leave out, such as the diagnosis's own.
        """
        if isinstance(wanted, Diagnosis):
            looked_for = fingerprint.of_diagnosis(wanted)
        else:
            looked_for = fingerprint.of_facts(wanted)
        with self.database.reader() as reader:
            found = similar.find_similar(reader, looked_for, self.starter, limit, without)
        return [one.value() for one in found]

    def advise(
        self, diagnosis: Diagnosis, incident: str = "", lineage: str = "", shape: bytes = b""
    ) -> Diagnosis:
        """Fill in how often each fix worked before, order the fixes by it, and name similar incidents.

        Args:
            diagnosis: changed in place and returned.
            incident: id of the diagnosis's own incident, which does not count.
            lineage: key of the job; a fix that failed on it before goes last and is warned of.
            shape: see `fingerprint.shape`.
        """
        wanted = fingerprint.of_diagnosis(diagnosis, shape)
        with self.database.reader() as reader:
            found = similar.find_similar(reader, wanted, self.starter, _COMPARED, [incident])
        return advice.advise(diagnosis, found, lineage, _SHOWN)

    def statistics(self) -> Statistics:
        """Return the library in figures."""
        from .statistics import collect

        with self.database.reader() as reader:
            return collect(reader, self.starter)

    # Sharing

    def export(self, path: Path | str, filters: Filters | None = None, preview: bool = False) -> ExportReport:
        """Write cases to a JSON Lines file without anything private, and return what was removed.

        With ``preview`` nothing is written.
        """
        from .exchange import export

        return export(self, Path(path), filters or Filters(), preview)

    def import_(self, path: Path | str) -> ImportReport:
        """Read cases that `export` wrote; what is known already is not doubled."""
        from .intake import import_file

        return import_file(self, Path(path))

    def merge(self, other_url: str) -> ImportReport:
        """Take over everything from another library."""
        from .intake import merge

        return merge(self, other_url)
