"""One self-contained page: what happened, the plots, the causes with their proof, and the fixes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from ...probes.evidence import RunDirectory, RunManifest
from ...rules.diagnosis import Cause, Diagnosis, Fix, NotCause
from .. import wording
from ..columns import Columns
from ..language import tr
from ..numbers import number, percent
from ..widgets.drawing import Line
from .style import STYLE
from .svg import extent, plot

PLOTS = (
    ("Loss", (("loss", "step", "train", "train"), ("val.loss", "eval", "validation", "val")), False),
    ("Gradient norm", (("grad.norm", "step", "", "gradient"),), True),
    ("Learning rate", (("lr", "step", "", "rate"),), True),
)
"""Title, curves as (quantity, kind of record, label, colour), and whether the axis is logarithmic."""


def write_page(run: RunDirectory, diagnosis: Diagnosis, path: Path) -> Path:
    """Write the page of a diagnosed run and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text(page(run, diagnosis), encoding="utf-8")
    return path


def page(run: RunDirectory, diagnosis: Diagnosis) -> str:
    """Return the page as HTML."""
    manifest = run.manifest()
    title = f"{manifest.name or manifest.id}: {tr(wording.VERDICTS[diagnosis.verdict])}"
    body = "\n".join(_body(run, manifest, diagnosis))
    return (
        f'<!doctype html>\n<html lang="{diagnosis.lang}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body><main>\n{body}\n</main></body></html>\n"
    )


def _body(run: RunDirectory, manifest: RunManifest, diagnosis: Diagnosis) -> Iterator[str]:
    verdict = tr(wording.VERDICTS[diagnosis.verdict])
    yield f"<header><p>{escape(manifest.name or manifest.id)}</p><h1>{escape(verdict)}</h1>"
    yield f'<p class="lead {diagnosis.verdict}">{escape(wording.headline(diagnosis))}</p></header>'
    yield from (f"<p>△ {escape(moved.text)}</p>" for moved in diagnosis.precursors)
    yield from _plots(run, diagnosis)
    if diagnosis.causes:
        yield _heading(tr("Causes"))
        yield from (_cause(cause, first=cause is diagnosis.causes[0]) for cause in diagnosis.causes)
    if diagnosis.similar:
        yield _heading(tr("Similar incidents"))
        yield _table(
            ("Likeness", "Incident", "Cause", "Fix", "Outcome"),
            (
                (
                    percent(past.score),
                    past.incident,
                    past.cause,
                    past.fix or "-",
                    tr(past.outcome or "unknown"),
                )
                for past in diagnosis.similar
            ),
        )
    if diagnosis.ruled_out:
        yield _why_not(diagnosis.ruled_out)
    yield from _lists(diagnosis)
    yield _about(manifest)


def _heading(text: str) -> str:
    return f"<h2>{escape(text)}</h2>"


def _plots(run: RunDirectory, diagnosis: Diagnosis) -> Iterator[str]:
    columns = Columns(run)
    columns.poll()
    alarm = diagnosis.spike.step if diagnosis.spike else None
    drawn = [(title, [_line(columns, curve) for curve in curves], log) for title, curves, log in PLOTS]
    # One range of steps for all, so that what happened together stands together.
    view = extent([line for _, lines, _ in drawn for line in lines])
    for title, lines, logarithmic in drawn:
        yield plot(tr(title), lines, None if alarm is None else float(alarm), logarithmic, view)


def _line(columns: Columns, curve: tuple[str, str, str, str]) -> Line:
    name, kind, label, colour = curve
    series = columns.series(name, kind)
    return Line(tr(label) if label else "", colour, series.step, series.value)


def _cause(cause: Cause, first: bool) -> str:
    role = f' <span class="dim">{escape(tr("contributing"))}</span>' if cause.role == "contributing" else ""
    share = round(100 * cause.certainty)
    head = (
        f'<summary><span class="bar"><i style="width:{share}%"></i></span> <b>{share} %</b> '
        f"{escape(wording.cause_name(cause))}{role} <code>{escape(cause.id)}</code></summary>"
    )
    evidence = _table(
        ("Fact", "Value", "Condition", "Steps", "Meaning"),
        (
            (fact.fact, wording.measured(fact), wording.demanded(fact), wording.window(fact), fact.meaning)
            for fact in cause.because
        ),
    )
    fixes = "".join(map(_fix, cause.fixes))
    rules = escape(tr("Rules that fired: {rules}", rules=", ".join(cause.rules)))
    return (
        f'<details class="cause"{" open" if first else ""}>{head}<p>{escape(cause.summary)}</p>'
        f'{evidence}{fixes}<p class="dim">{rules}</p></details>'
    )


def _fix(fix: Fix) -> str:
    moment = tr("now") if fix.when == "now" else tr("for good")
    code = f"<pre>{escape(fix.code)}</pre>" if fix.code else ""
    return (
        f'<section class="fix {fix.when}"><p><b>{escape(moment)}</b> {escape(fix.text)} '
        f'<span class="dim">{escape(wording.record(fix))}</span></p>{code}</section>'
    )


def _table(names: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(tr(name))}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _why_not(ruled_out: list[NotCause]) -> str:
    rows = ((cause.title or wording.readable(cause.id), "; ".join(cause.missing)) for cause in ruled_out)
    table = _table(("Cause", "Because"), rows)
    return f"<details><summary>{escape(tr('Why not another cause'))}</summary>{table}</details>"


def _lists(diagnosis: Diagnosis) -> Iterator[str]:
    for title, sentences in (
        (tr("Would decide"), diagnosis.needed),
        (tr("Gaps in the recording"), diagnosis.warnings),
    ):
        if sentences:
            yield _heading(title)
            yield f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in sentences)}</ul>"


def _about(manifest: RunManifest) -> str:
    facts = [
        (tr("Command"), " ".join(manifest.command)),
        (tr("Commit"), str(manifest.git.get("commit", ""))),
        (tr("Host"), manifest.host),
        *((name, version) for name, version in manifest.versions.items()),
        *((name, number(value)) for name, value in manifest.settings.items()),
    ]
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)
    return f"<footer><dl>{items}</dl></footer>"
