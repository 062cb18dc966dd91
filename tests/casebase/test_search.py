from __future__ import annotations

import pytest
from spikelore.casebase import Case, CaseLibrary, Filters, FixTried
from spikelore.casebase.search import index, postgres
from spikelore.casebase.search.query import Query, parse


@pytest.fixture(scope="module")
def cases(shared_library: CaseLibrary) -> CaseLibrary:
    """A library of four cases written by hand."""
    surge = Case(
        id="lr",
        title="Learning rate rose tenfold",
        summary="decay was written as growth in the scheduler",
        confirmed="strategy.lr-surge",
        state="resolved",
        project="ocr",
        framework="torch",
        created=100.0,
        fixes=[FixTried("fix.repair-schedule", "worked")],
        tags=["schedule"],
    )
    overflow = Case(
        id="nan",
        title="NaN in half precision",
        summary="the loss scale collapsed",
        confirmed="numerics.fp16-overflow",
        state="resolved",
        project="asr",
        framework="torch",
        created=200.0,
        fixes=[FixTried("fix.use-bf16", "failed")],
    )
    statistics = Case(
        id="bn",
        title_zh="批归一化统计被破坏",
        summary_zh="某一批样本完全相同,移动方差接近零",
        predicted="model.batchnorm-corruption",
        framework="jax",
        created=300.0,
    )
    labels = Case(
        id="data",
        title="Shuffled labels",
        summary="the reader paired rows with the wrong file",
        predicted="data.label-contamination",
        project="OCR",
        created=400.0,
    )
    shared_library.add_many([surge, overflow, statistics, labels])
    return shared_library


def found(library: CaseLibrary, text: str, **filters: object) -> list[str]:
    return [hit.case.id for hit in library.search(text, Filters(**filters))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("scheduler growth", "lr"),
        ("学习率", "lr"),
        ("half precision nan", "nan"),
        ("半精度", "nan"),
        ("批", "bn"),
        ("方差", "bn"),
        ("移动方差 零", "bn"),
        ("batchnorm statistics", "bn"),
        ("labls", "data"),
        ("shufled", "data"),
        ("schedul", "lr"),
        ("learning rate", "lr"),
        ("wrong file", "data"),
        ("collapse", "nan"),
    ],
)
def test_right_case_comes_first(cases: CaseLibrary, text: str, first: str) -> None:
    """Exact, inflected, cut-off, misspelt, Chinese and translated words find their case."""
    assert found(cases, text)[:1] == [first]


def test_nothing_found_is_an_empty_list(cases: CaseLibrary) -> None:
    """A word that nobody ever wrote finds nothing."""
    assert found(cases, "zzyzx") == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"cause": "strategy.lr-surge"}, {"lr"}),
        ({"family": "data"}, {"data"}),
        ({"state": "resolved"}, {"lr", "nan"}),
        ({"project": "ocr"}, {"lr", "data"}),
        ({"framework": "jax"}, {"bn"}),
        ({"outcome": "failed"}, {"nan"}),
        ({"fix": "fix.repair-schedule"}, {"lr"}),
        ({"tag": "schedule"}, {"lr"}),
        ({"since": 250.0}, {"bn", "data"}),
        ({"until": 250.0}, {"lr", "nan"}),
        ({"since": 150.0, "until": 350.0}, {"nan", "bn"}),
        ({"state": "open", "project": "ocr"}, {"data"}),
    ],
)
def test_filters_hold_in_search_and_list(
    cases: CaseLibrary, filters: dict[str, object], expected: set[str]
) -> None:
    """The same filters give the same incidents, with a text and without."""
    assert {case.id for case in cases.list(Filters(**filters))} == expected  # type: ignore[arg-type]
    everything = "learning rate nan 批归一化 shuffled labels"
    assert set(found(cases, everything, **filters)) == expected


def test_newest_first_without_a_text(cases: CaseLibrary) -> None:
    """An empty query lists."""
    assert found(cases, "") == ["data", "bn", "nan", "lr"]
    assert [case.id for case in cases.list(limit=2, offset=1)] == ["bn", "nan"]


def test_scores_and_snippets(cases: CaseLibrary) -> None:
    """A hit says how much of the query it answers and shows where."""
    hits = cases.search("loss scale collapsed")
    assert 0 < hits[0].score <= 1
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].snippet == "the loss scale collapsed"
    assert [hits[0].snippet[start:end] for start, end in hits[0].marks] == ["loss", "scale", "collapsed"]


def test_a_hit_shows_the_script_that_was_asked_in(starter_library: CaseLibrary) -> None:
    """The title is shown beside the snippet, so the snippet is of the rest, Chinese where the question is."""
    english, chinese = (starter_library.search(text)[0] for text in ("negative income", "收入负数"))
    assert english.case.id == chinese.case.id
    assert english.snippet == "Dropped the rows with a negative income and trained again."
    assert "异常数据" in chinese.snippet


def test_a_hit_tells_what_was_tried(cases: CaseLibrary) -> None:
    """Whoever searches wants to know what worked."""
    hit = cases.search("half precision")[0]
    assert [(fix.fix, fix.outcome) for fix in hit.fixes] == [("fix.use-bf16", "failed")]


@pytest.mark.parametrize(
    "text",
    [
        "'",
        '"',
        "NOT",
        "AND OR",
        "a:b:c",
        "100%",
        "?",
        "\\",
        "(",
        "*",
        "-",
        "'; DROP TABLE run; --",
        "\x00",
        "\U0001d52b",
    ],
)
def test_no_text_breaks_the_query(cases: CaseLibrary, text: str) -> None:
    """Characters that mean something to a database are just text."""
    cases.search(text)
    cases.search(f"nan {text}")
    assert found(cases, f"{text} half precision")[:1] == ["nan"]


def test_a_misspelt_synonym_is_understood(starter_library: CaseLibrary) -> None:
    """Nobody wrote "salary", but it means the income that somebody did write."""
    assert found(starter_library, "salery") == ["article-negative-income"]


@pytest.mark.parametrize("word", ["people", "version", "breaks", "directory"])
def test_a_word_nobody_wrote_is_not_taken_for_another(starter_library: CaseLibrary, word: str) -> None:
    """Apple, vision, read and detector look somewhat alike, but are other words."""
    assert found(starter_library, word) == []


def test_starter_cases_can_be_hidden(starter_library: CaseLibrary) -> None:
    """A library opened without them shows none, in lists, searches and statistics."""
    assert starter_library.search("income")
    with CaseLibrary.open(starter_library.database.url, starter=False) as hidden:
        assert not hidden.search("income")
        assert not hidden.list()
        assert not hidden.similar({"grad.norm_ratio": 250.0})
        assert hidden.statistics().incidents == 0


def test_the_environment_hides_starter_cases(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SPIKELORE_STARTER=0 switches them off."""
    monkeypatch.setenv("SPIKELORE_STARTER", "0")
    with CaseLibrary.open(url) as library:
        assert not library.list()


def test_common_words_are_found_among_the_newest_or_everywhere(
    library: CaseLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL the newest part is looked through first where statistics say that most answer."""
    monkeypatch.setattr(postgres, "_NEAR", 100)
    library.add_many(
        [
            Case(
                id=f"case-{number:03}",
                title="flood" if number < 200 else "drought",
                created=float(number + 1),
            )
            for number in range(300)
        ]
    )
    if library.database.postgres:
        with library.database.reader() as reader:
            reader.run("ANALYZE document", [])
    assert found(library, "flood state:open")[:2] == ["case-199", "case-198"]
    assert found(library, "state:open")[:2] == ["case-299", "case-298"]
    assert found(library, "state:open", until=11.0)[:2] == ["case-009", "case-008"]


def test_the_newest_of_many_are_found_by_age(library: CaseLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL a large library is looked through part by part, down to its oldest."""
    for name, value in (("_NEAR", 0), ("_SMALL", 10), ("_SAMPLES", {})):
        monkeypatch.setattr(postgres, name, value)
    for part in range(4):
        library.add_many(
            [
                Case(id=f"{part}-{number:02}", title="flood" if part < 2 else "drought", created=1.0)
                for number in range(20)
            ]
        )
        if library.database.postgres:
            with library.database.reader() as reader:
                key = (part + 1) * postgres.AGE
                reader.rows("SELECT setval(pg_get_serial_sequence('incident', 'key'), ?)", [key])
                reader.run("ANALYZE document", [])
    flood = parse("flood", Filters(), starter=True)
    with library.database.reader() as reader:
        ids = dict(reader.rows("SELECT key, id FROM incident"))
        newest = [ids[key] for key in index.index_of(reader).newest(flood.groups, Query(), 30)]
    assert newest == [f"{part}-{number:02}" for part in (1, 0) for number in reversed(range(20))][:30]
    assert found(library, "tag:none") == []
