from __future__ import annotations

from html.parser import HTMLParser

import pytest
from spikelore.casebase import Case, FixTried, Note, Window
from spikelore.casebase.plot import curve
from spikelore.casebase.postmortem import html_page, markdown

from .samples import EXPLODING, diagnosis


@pytest.fixture
def case() -> Case:
    """A resolved incident with everything on it."""
    return Case(
        id="abc",
        title="Loss | <b>spike</b>",
        title_zh="损失骤升",
        summary="It & jumped.",
        state="resolved",
        confirmed=EXPLODING,
        step=1200,
        epoch=12.5,
        batch=3,
        train_before=0.3,
        train_after="nan",
        resolved=1000.0,
        resolved_by="ann",
        diagnosis=diagnosis(),
        fixes=[FixTried("fix.clip-gradients", "worked", 4.8, 0.31, by="ann")],
        notes=[Note("check the <script>", "ann", 1000.0)],
        tags=["ocr"],
        window=Window([1199, 1200, 1201], {"loss": [0.3, "nan", 4.8], "lr": [0.1, 0.1, None]}),
    )


@pytest.mark.parametrize(
    "said",
    [
        "# Loss | <b>spike</b>",
        "Training loss: 0.3 → NaN",
        "Onset: Step 1,200, Epoch 13, Batch 3",
        "State: resolved (ann)",
        "| fix.clip-gradients | worked | 4.8 → 0.31 | ann |",
        "grad.norm_ratio | 240 | >= 10",
        "- #ocr",
        "check the <script>",
    ],
)
def test_markdown_says_everything(case: Case, said: str) -> None:
    """A postmortem holds what happened, why, what was tried and what was noted."""
    assert said in markdown(case)


def test_a_pipe_does_not_break_a_table(case: Case) -> None:
    """Cells with a pipe stay one cell."""
    case.fixes[0].text = "a | b"
    assert "a \\| b" in markdown(case)


def test_chinese(case: Case) -> None:
    """Labels and title are in the language asked for."""
    text = markdown(case, "zh")
    assert text.startswith("# 损失骤升")
    assert "训练损失: 0.3 → NaN" in text


class _Checker(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onload"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_escapes_what_people_wrote(case: Case) -> None:
    """One file: no script, nothing loaded, texts of people are texts; the curves are in it."""
    page = html_page(case)
    checker = _Checker()
    checker.feed(page)
    assert checker.open == []
    assert "script" not in checker.seen
    assert "b" not in checker.seen
    assert page.count("<svg") == 2
    assert "It &amp; jumped." in page


def test_curve_marks_onset_and_values_that_are_no_number() -> None:
    """The onset is a line, NaN a mark, the rest one stroke."""
    svg = curve([1, 2, 3, 4], [1.0, 2.0, "nan", 50.0], 3, "loss")
    assert svg.count("<line") == 1
    assert svg.count(">x</text>") == 1
    assert len(svg.partition('points="')[2].partition('"')[0].split()) == 3


@pytest.mark.parametrize("values", [[], ["nan"], [None], [1.0], [0.0, 0.0]])
def test_curve_of_almost_nothing(values: list[float | str | None]) -> None:
    """Few, equal or no values still give a picture."""
    assert curve(list(range(len(values))), values, 0, "loss").endswith("</svg>")


def test_a_bare_case_has_a_postmortem() -> None:
    """A case of which only the title is known is no error."""
    assert markdown(Case(id="x", title="Something")).startswith("# Something")
