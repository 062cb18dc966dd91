"""The postmortem of an incident, in Markdown and as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import quote

import msgspec

from .errors import CaseError
from .plot import curve
from .values import Case, FixTried, Loss
from .wording import words


class Section(msgspec.Struct):
    """One part of a postmortem; every kind of content may be empty."""

    title: str
    text: list[str] = []
    """Paragraphs."""
    items: list[str] = []
    heads: list[str] = []
    rows: list[list[str]] = []


def write(case: Case, path: Path, lang: str = "en") -> list[Path]:
    """Write the postmortem to a file, ``.html`` or ``.md`` with its plots as SVG files beside it.

    Returns:
        Every file written.

    Raises:
        CaseError: the name has another ending, or a file cannot be written.
    """
    if path.suffix not in (".html", ".md"):
        raise CaseError(f"{path}: ends in {path.suffix!r}; valid is a name that ends in .html or .md")
    if path.suffix == ".html":
        files = {path: html_page(case, lang)}
    else:
        plots = {name: path.with_name(f"{path.stem}-{name}.svg") for name in _plots(case, lang)}
        files = {plots[name]: plot for name, plot in _plots(case, lang).items()}
        files[path] = markdown(case, lang, {name: file.name for name, file in plots.items()})
    try:
        for file, text in files.items():
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CaseError(f"{path}: cannot be written ({error.strerror})") from error
    return list(files)


def markdown(case: Case, lang: str = "en", plots: Mapping[str, str] | None = None) -> str:
    """Return the postmortem as Markdown.

    Args:
        case: the incident.
        lang: ``en`` or ``zh``.
        plots: addresses of pictures by the quantity that they show, see `write`.
    """
    lines = [f"# {_title(case, lang)}", ""]
    lines += [f"![{words(name, lang)}]({quote(address)})\n" for name, address in (plots or {}).items()]
    for section in sections(case, lang):
        lines += [f"## {section.title}", ""] if section.title else []
        for text in section.text:
            lines += [text, ""]
        lines += [*(f"- {item}" for item in section.items), ""] if section.items else []
        if section.rows:
            lines += [_row(section.heads), _row(["---"] * len(section.heads))]
            lines += [*(_row(row) for row in section.rows), ""]
    return "\n".join(lines)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def html_page(case: Case, lang: str = "en") -> str:
    """Return the postmortem as an HTML page that needs nothing else."""
    parts = [f"<h1>{escape(_title(case, lang))}</h1>"]
    for section in sections(case, lang):
        if section.title:
            parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [f"<p>{escape(text)}</p>" for text in section.text]
        if section.items:
            parts.append(f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in section.items)}</ul>")
        if section.rows:
            head = "".join(f"<th>{escape(cell)}</th>" for cell in section.heads)
            body = "".join(
                f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>" for row in section.rows
            )
            parts.append(f"<table><tr>{head}</tr>{body}</table>")
    plots = "\n".join(f"<figure>{plot}</figure>" for plot in _plots(case, lang).values())
    return _PAGE.format(
        lang=lang, title=escape(_title(case, lang)), body="\n".join([*parts[:1], plots, *parts[1:]])
    )


def _plots(case: Case, lang: str) -> dict[str, str]:
    """Return SVG by quantity."""
    columns = case.window.columns if case.window else {}
    return {
        name: curve(case.window.step, columns[name], case.step, words(name, lang))
        for name in ("loss", "grad.norm", "lr")
        if case.window and columns.get(name)
    }


def sections(case: Case, lang: str) -> Iterator[Section]:
    """Yield what is known of an incident, in reading order."""
    yield Section("", text=[text for text in (_summary(case, lang),) if text], items=list(_facts(case, lang)))
    if case.diagnosis and case.diagnosis.causes:
        yield _why(case, lang)
    if case.fixes:
        yield Section(
            words("what was tried", lang),
            heads=[words(head, lang) for head in ("fix", "outcome", "loss", "by")],
            rows=[_fix_row(fix, lang) for fix in case.fixes],
        )
    if case.notes:
        yield Section(
            words("notes", lang), items=[_signed(note.text, note.by, note.created) for note in case.notes]
        )
    if case.tags or case.attachments:
        names = [attachment.name for attachment in case.attachments]
        yield Section(words("kept with it", lang), items=[*(f"#{tag}" for tag in case.tags), *names])


def _facts(case: Case, lang: str) -> Iterator[str]:
    def line(name: str, value: str) -> str:
        return f"{words(name, lang)}: {value}"

    yield line("state", words(case.state, lang) + (f" ({case.resolved_by})" if case.resolved_by else ""))
    if case.cause:
        sure = f" ({100 * case.certainty:.0f} %)" if case.certainty is not None and not case.confirmed else ""
        yield line("cause", f"{case.cause}{sure}")
    for name, before, after in (
        ("training loss", case.train_before, case.train_after),
        ("validation loss", case.val_before, case.val_after),
    ):
        if before is not None or after is not None:
            yield line(name, f"{number(before)} → {number(after)}")
    place = [
        f"{words(name, lang)} {value:,}"
        for name, value in (("step", case.step), ("epoch", _whole(case.epoch)), ("batch", case.batch))
        if value is not None
    ]
    if place:
        yield line("onset", ", ".join(place))
    for name in ("project", "framework", "model_type", "run", "reference"):
        if value := getattr(case, name):
            yield line(name, str(value))
    if case.source != "starter":
        yield line("opened", _date(case.created))
        if case.resolved:
            yield line("resolved on", _date(case.resolved))
    yield line("incident", case.id)


def _why(case: Case, lang: str) -> Section:
    assert case.diagnosis is not None  # noqa: S101 - the caller looked
    rows = [
        [cause.title or cause.id, f"{100 * cause.certainty:.0f} %", b.fact, _value(b.value), b.condition]
        for cause in case.diagnosis.causes
        for b in cause.because
    ]
    heads = [words(head, lang) for head in ("cause", "certainty", "evidence", "value", "condition")]
    return Section(
        words("why", lang),
        # Where the reason is the summary too, it has been said.
        text=[text for text in (case.diagnosis.reason,) if text and text != _summary(case, lang)],
        heads=heads,
        rows=rows,
    )


def _fix_row(fix: FixTried, lang: str) -> list[str]:
    what = ": ".join(text for text in (fix.fix, fix.text) if text)
    change = f"{number(fix.before)} → {number(fix.after)}" if fix.after is not None else ""
    who = fix.by or (f"{words('run', lang)} {fix.run}" if fix.run else "")
    return [what, words(fix.outcome, lang), change, who]


def _title(case: Case, lang: str) -> str:
    return (case.title_zh if lang == "zh" else case.title) or case.title or case.title_zh or case.id


def _summary(case: Case, lang: str) -> str:
    return (case.summary_zh if lang == "zh" else case.summary) or case.summary or case.summary_zh


def _signed(text: str, by: str, created: float) -> str:
    return f"{text} ({', '.join(part for part in (by, _date(created)) if part)})"


def _date(created: float) -> str:
    return datetime.fromtimestamp(created).astimezone().strftime("%Y-%m-%d %H:%M") if created else ""


def _whole(epoch: float | None) -> int | None:
    # Records count finished epochs; people count from one.
    return None if epoch is None else int(epoch) + 1


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def number(value: Loss) -> str:
    """Return a loss as people read it."""
    if isinstance(value, str):
        return {"nan": "NaN"}.get(value, value)
    return "?" if value is None else f"{value:.4g}"


_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }}
h2 {{ font-size: 1.15rem; margin-top: 2rem; }}
table {{ border-collapse: collapse; width: 100%; }}
td, th {{ border-bottom: 1px solid #8884; padding: .3rem .5rem; text-align: left; }}
figure {{ margin: 1rem 0; }}
svg {{ width: 100%; height: auto; }}
:root {{ color-scheme: light dark; }}
</style></head><body>
{body}
</body></html>
"""
