"""Writes a composed report in all its forms, in place of an earlier one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reports.cells import Picture, Pictures
from reports.forms.latex import all_tables
from reports.forms.page import page
from suite.files import remove_leftovers, write_together

FIGURES, TABLES = "figures", "tables"
"""Folders of a report's figures and of its tables in LaTeX."""


@dataclass(frozen=True)
class ComposedReport:
    """A report before it is written.

    Attributes:
        name: of its text's file, without suffix.
        text: as markdown.
        pictures: its figures.
        tables: name -> markdown that holds a main table, of which there is a file in LaTeX.
        sheets: name of a file -> its content, CSV or JSON; None: there is no such file.
        ours: what the name of a figure or a table is like that a report of this kind has written.
    """

    name: str
    text: str
    pictures: Pictures
    ours: re.Pattern[str]
    tables: Mapping[str, str] = field(default_factory=dict)
    sheets: Mapping[str, str | None] = field(default_factory=dict)


def write_forms(out: Path, report: ComposedReport) -> Path:
    """Writes markdown, page, figures, LaTeX tables and sheets: all of them, or none.

    What an earlier report left and this one does not have is removed.

    Returns:
        The path of the markdown.

    Raises:
        SuiteError: the folder cannot be written; the earlier report stays.
    """
    written = dict(_files(report))
    remove_leftovers(out)
    write_together(out, written)
    for path in _earlier(out, report):
        if path.relative_to(out).as_posix() not in written:
            path.unlink(missing_ok=True)
    return out / f"{report.name}.md"


def _files(report: ComposedReport) -> Iterator[tuple[str, str | bytes]]:
    """Name in the folder -> content; what refers to others follows them."""
    for name, picture in report.pictures.items():
        for form, content in picture._asdict().items():
            yield f"{FIGURES}/{name}.{form}", content
    for name, text in all_tables(report.tables).items():
        yield f"{TABLES}/{name}.tex", text
    for name, sheet in report.sheets.items():
        if sheet is not None:
            yield name, sheet
    yield f"{report.name}.html", page(report.text, report.pictures)
    yield f"{report.name}.md", report.text


def _earlier(out: Path, report: ComposedReport) -> Iterator[Path]:
    """What a report of this kind may have left."""
    forms = [(FIGURES, form) for form in Picture._fields] + [(TABLES, "tex")]
    for folder, form in forms:
        for path in (out / folder).glob(f"*.{form}"):
            if report.ours.fullmatch(path.stem):
                yield path
    yield from (out / name for name, sheet in report.sheets.items() if sheet is None)
