"""Numbers, sentences and reports read well."""
# ruff: noqa: RUF001 - Chinese punctuation is expected

from __future__ import annotations

import io
import math
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from spikelore.probes.evidence import RunDirectory
from spikelore.rules.diagnosis import Because, Diagnosis, Level, Spike
from spikelore.tui import language, numbers, settings, wording
from spikelore.tui.errors import UserError, sentence
from spikelore.tui.home import find_run
from spikelore.tui.report import render
from spikelore.tui.report.page import page
from spikelore.tui.report.svg import plot
from spikelore.tui.widgets.drawing import Line

from . import samples


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        ("nan", "NaN"),
        (math.nan, "NaN"),
        (-math.inf, "-inf"),
        (0.0, "0"),
        (12400, "12,400"),
        (0.312456, "0.3125"),
        (5e-05, "5e-5"),
        (1234.5, "1,234"),
        (2.5e9, "2.5e9"),
        ("AdamW", "AdamW"),
    ],
)
def test_numbers(value: float | str | bool | None, text: str) -> None:
    """A number has at most four significant digits and no needless zeros."""
    assert numbers.number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.02, "20 ms"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """A time span is told in its two largest units."""
    assert numbers.duration(seconds) == text


def test_ratios_of_losses_that_are_no_numbers() -> None:
    """A ratio may be missing or infinite."""
    assert numbers.times(14.2) == "14x"
    assert numbers.times(1.5) == "1.5x"
    assert numbers.times("inf") == "inf"
    assert numbers.times(None) == "-"


def test_the_headline_says_where_and_how_much() -> None:
    """A spike is one sentence with its place, both losses and how it went on."""
    assert wording.headline(samples.diagnosis()) == (
        "The loss jumped at step 842 (epoch 9, batch 42): training 0.31 → 4.4 (14x), "
        "validation 0.43 → 4.5 (10x), and has not recovered."
    )
    language.use("zh")
    assert wording.headline(samples.diagnosis()) == (
        "损失在第 842 步 (第 9 轮, 第 42 批)骤升：训练 0.31 → 4.4 (14x)，验证 0.43 → 4.5 (10x)，至今未恢复。"
    )


def test_a_headline_without_places_and_numbers() -> None:
    """What is unknown is left out, a loss that is no number is named so."""
    spike = Spike(None, None, None, Level(0.5, "nan", None), None, False, True)
    found = wording.headline(Diagnosis("r", "spike", spike=spike))
    assert (
        found
        == "The loss stopped being a number at an unknown step: training 0.5 → NaN, and has not recovered."
    )


def test_a_jump_that_ended_as_no_number_is_a_jump_first() -> None:
    """Where the levels at the onset are numbers, the headline does not call them none."""
    spike = Spike(61, None, None, Level(6.5, 14.6, 2.25), None, False, True)
    assert wording.headline(Diagnosis("r", "spike", spike=spike)) == (
        "The loss jumped at step 61 and stopped being a number later: training 6.5 → 14.6 (2.2x), "
        "and has not recovered."
    )


def test_an_empty_text_is_seen_as_a_value() -> None:
    """A condition on an empty text shows the quotes."""
    fact = Because("optimizer.changed", "", "=")
    assert (wording.measured(fact), wording.demanded(fact)) == ("none", "= none")


def printed(diagnosis: Diagnosis, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(render(diagnosis))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_report_has_everything_in_plain_text() -> None:
    """Verdict, causes, evidence, fixes with their record, similar incidents and why-not are there."""
    text = printed(samples.diagnosis())
    for part in (
        "Loss spike",
        "94 %",
        "grad.norm_ratio",
        ">= 10",
        "worked 7 of 8",
        'group["lr"] = 5e-05',
        "20251102-transformer",
        "Loading error",
        "contributing",
    ):
        assert part in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("verdict", ["healthy", "insufficient", "pattern"])
def test_the_report_of_what_is_no_spike(verdict: str) -> None:
    """Without a spike the report is the verdict with its reason, and what would decide."""
    found = Diagnosis(
        "r", verdict, pattern="pattern.overfitting" if verdict == "pattern" else None, reason="Because.",
        needed=["the gradient norm"],
    )  # fmt: skip
    text = printed(found)
    assert "Because." in text
    assert "the gradient norm" in text
    assert "Causes" not in text


def test_the_page_escapes_what_came_from_outside(spiked: RunDirectory) -> None:
    """Texts of a run or a rule cannot become markup."""
    found = samples.diagnosis()
    found.causes[0].summary = "<script>alert(1)</script>"
    manifest = spiked.manifest()
    spiked.write_manifest(msgspec.structs.replace(manifest, name='"><img src=x>'))
    text = page(spiked, found)
    assert "<script>" not in text
    assert "<img" not in text


def test_a_plot_of_nothing_is_nothing() -> None:
    """A quantity that was not recorded leaves no empty figure."""
    import numpy as np

    assert plot("loss", [Line("", "train", np.empty(0), np.empty(0))], None) == ""


def test_a_run_is_found_by_what_one_would_type(several: Path) -> None:
    """Path, folder name, name, the start of an id and `latest` all mean the run."""
    wanted = several / "resnet-digits"
    for text in (str(wanted), "resnet-digits", "resnet-d"):
        assert find_run(text).path == wanted
    assert find_run("latest").path.is_relative_to(several)
    with pytest.raises(UserError, match="known runs"):
        find_run("nothing")


def test_an_ambiguous_run_names_the_choices(runs: Path) -> None:
    """Two runs that start alike are told apart by the whole id."""
    for name in ("abc-1", "abc-2"):
        samples.write(runs / name, samples.manifest(name), 3)
    with pytest.raises(UserError, match="abc-1, abc-2"):
        find_run("abc")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError(2, "No such file or directory", "x.db"), "x.db: No such file or directory"),
        (UserError("run: what is valid"), "run: what is valid"),
        (ModuleNotFoundError("No module named 'q'", name="q"), "'q' is missing"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_errors_are_sentences(error: Exception, text: str) -> None:
    """What the user can put right stands by itself; a defect names its type."""
    assert text in sentence(error)


@pytest.mark.parametrize(
    ("text", "named"),
    [("colour: blue", "theme"), ("theme: [1]", "theme"), ("a: b: c", "not YAML"), ("x" * 70_000, "too many")],
)
def test_settings_that_cannot_be_understood(home: Path, text: str, named: str) -> None:
    """Broken settings are refused with the place and what is valid."""
    (home / "settings.yaml").write_text(text)
    with pytest.raises(UserError, match=named):
        settings.load()
