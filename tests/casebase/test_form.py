"""The form that a case is written down with."""

from __future__ import annotations

import pytest
from spikelore.casebase import CaseError
from spikelore.casebase.form import FORMS, read_form


@pytest.mark.parametrize("lang", FORMS)
def test_a_blank_form_asks_for_a_title_and_nothing_else(lang: str) -> None:
    """Every line may stay empty but the title, in either language."""
    with pytest.raises(CaseError, match="title: is empty"):
        read_form(FORMS[lang], "form")
    title = "title_zh" if lang == "zh" else "title"
    entry = read_form(FORMS[lang].replace(f"{title}: ", f"{title}: 学习率 written wrongly"), "form")
    case = entry.case("hand", 100.0, "ann")
    assert (case.state, case.title or case.title_zh) == ("open", "学习率 written wrongly")


def test_a_case_whose_cause_is_known_is_resolved() -> None:
    """Who wrote it down resolved it then, and what was tried is theirs."""
    text = "title: x\ncause: data.loading-error\ntrain: [0.3, nan]\nfixes: [{text: mended, outcome: worked}]"
    case = read_form(text, "form").case("hand", 100.0, "ann")
    assert (case.state, case.confirmed, case.resolved, case.resolved_by) == (
        "resolved",
        "data.loading-error",
        100.0,
        "ann",
    )
    assert [(fix.text, fix.by, fix.before) for fix in case.fixes] == [("mended", "ann", "nan")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("titel: x", "unknown field `titel`"),
        ("- x", "is no mapping"),
        ("title: x\ncause: oops", "not a cause id"),
        ("title: x\nfixes: [{text: y, outcome: maybe}]", r"\$\.fixes\[0\]\.outcome"),
        ("title: x\nfixes: [{outcome: worked}]", "says neither an id nor in words"),
        ("title: &a x\nsummary: *a", "anchors are not allowed"),
        ("title: " + "x" * 70_000, "valid is up to 65,536 bytes"),
    ],
)
def test_a_form_filled_in_wrongly_is_refused(text: str, said: str) -> None:
    """The message names the file, the place and what is valid."""
    with pytest.raises(CaseError, match=said) as caught:
        read_form(text, "form.yaml")
    assert str(caught.value).startswith("form.yaml")
