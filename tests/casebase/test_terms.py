"""From text to terms."""

from __future__ import annotations

import pytest
from spikelore.casebase.search.query import parse
from spikelore.casebase.search.snippet import snippet
from spikelore.casebase.search.terms import facet, stem, terms
from spikelore.casebase.values import Filters


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exploding", "explode"),
        ("clipping", "clipped"),
        ("batches", "batch"),
        ("normalisation", "normalized"),
        ("divergence", "diverges"),
        ("resumed", "resuming"),
        ("optimisers", "optimizer"),
        ("Losses", "loss"),
    ],
)
def test_inflections_have_one_stem(one: str, other: str) -> None:
    """Search does not care for number, tense or the Atlantic."""
    assert stem(one) == stem(other)


@pytest.mark.parametrize("word", ["loss", "bias", "nan", "fp16", "class", "focus", "lr"])
def test_short_words_and_names_stay(word: str) -> None:
    """What is no inflection is left alone."""
    assert stem(word) == word


def test_chinese_is_split_into_characters_and_pairs() -> None:
    """Chinese has no spaces; one character and two are both found."""
    assert terms("学习率") == ["学", "习", "率", "学习", "习率"]


def test_code_is_split_where_people_would() -> None:
    """Names of functions and classes are found by their parts."""
    assert {"clip", "grad", "norm"} <= set(terms("torch.nn.utils.clip_grad_norm_(model)"))
    assert {"grad", "scaler", "gradscaler"} <= set(terms("GradScaler"))
    assert terms("NaN") == ["nan"]


def test_numbers_are_terms() -> None:
    """Learning rates are looked for as they are written; full-width digits are digits."""
    assert terms("lr 1e-3 to 0.5") == ["lr", "1e-3", "0.5"]
    assert terms("16") == ["16"]


def test_a_pasted_log_is_cut() -> None:
    """The terms of a text are bounded."""
    assert len(terms("line of a log file " * 5000)) == 4000


def test_facets_are_single_safe_terms() -> None:
    """A property's value becomes one term whatever is in it."""
    assert facet("project", "My Project/é 项'") == "project:my-project-é-项"
    assert facet("tag", "'''") == "tag:-"


def test_filters_in_the_text() -> None:
    """``cause:ID`` in a text filters and is not searched for."""
    query = parse("clip cause:data.loading-error", Filters(project="OCR"), starter=False)
    assert query.facets == ["project:ocr", "cause:data.loading-error"]
    assert [group.text for group in query.groups] == ["clip"]
    assert query.excluded == ["source:starter"]


@pytest.mark.parametrize(
    ("text", "little", "much"), [("clip again", "again", "clip"), ("导致溢满", "导致", "溢满")]
)
def test_function_words_say_little(text: str, little: str, much: str) -> None:
    """A word that only holds the sentence together weighs less than any other."""
    importance = {group.text: group.importance for group in parse(text, Filters(), starter=True).groups}
    assert importance[little] < importance[much]


def test_snippet_shows_and_marks_what_was_asked() -> None:
    """A snippet is cut round the words of the query and marks them."""
    text = "filler " * 100 + "the optimizer state was lost on resume " + "filler " * 100
    cut, marks = snippet(text, parse("optimizer state", Filters(), starter=True).groups)
    assert len(cut) < 200
    assert [cut[start:end] for start, end in marks][:2] == ["optimizer", "state"]
    assert cut.startswith("…")
    assert cut.endswith("…")


def test_snippet_marks_chinese() -> None:
    """Neighbouring pairs of characters are marked as one."""
    cut, marks = snippet("第三轮学习率骤增导致损失上升", parse("学习率骤增", Filters(), starter=True).groups)
    assert "学习率骤增" in [cut[start:end] for start, end in marks]
