"""What search sees of a case: its text, its terms and its facets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .fingerprint import Fingerprint, tokens
from .search.terms import facet, join, terms
from .values import Case

_WORD = re.compile(r"(?<![a-z0-9])[a-z]{4,30}(?![a-z0-9])")
_MOST_TEXT = 20_000


def document_of(case: Case, fingerprint: Fingerprint) -> dict[str, Any]:
    """Return the columns of the document table for a case, the incident's key left out."""
    title = [case.title, case.title_zh, _words(case.confirmed), _words(case.predicted)]
    body = [text for text in _body(case) if text]
    return {
        "text": "\n".join(text for text in (case.title, case.title_zh, *body) if text)[:_MOST_TEXT],
        "title_terms": join(term for text in title for term in terms(text)),
        "body_terms": join(terms("\n".join(body)[:_MOST_TEXT])),
        "facets": join(dict.fromkeys([*_facets(case), *tokens(fingerprint)])),
    }


def _words(identifier: str) -> str:
    return identifier.replace(".", " ").replace("-", " ")


def _body(case: Case) -> Iterator[str]:
    yield case.summary
    yield case.summary_zh
    for note in case.notes:
        yield note.text
    for fix in case.fixes:
        yield fix.text
        yield _words(fix.fix)
    if case.diagnosis:
        yield case.diagnosis.reason
        for cause in case.diagnosis.causes[:3]:
            yield " ".join((cause.title, cause.summary))
    yield " ".join([*case.tags, case.project, case.framework, case.model_type, case.reference])


def _facets(case: Case) -> Iterator[str]:
    yield facet("id", case.id)
    yield facet("state", case.state)
    yield facet("source", case.source)
    if case.cause:
        yield facet("cause", case.cause)
        yield facet("family", case.family)
    for kind in ("project", "framework", "model_type", "lineage", "run"):
        if value := getattr(case, kind):
            yield facet(kind, value)
    for tag in case.tags:
        yield facet("tag", tag)
    for fix in case.fixes:
        yield facet("outcome", fix.outcome)
        if fix.fix:
            yield facet("fix", fix.fix)


def vocabulary(document: dict[str, Any]) -> set[str]:
    """Return the words of a document that a misspelt query may have meant, as they are written."""
    return set(_WORD.findall(document["text"].casefold()))
