"""Which column of a file holds the words and which their tags."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from suite.datasets.formats.tags import OUTSIDE, Scheme, kind_of
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError

_DOCUMENT = "-DOCSTART-"
_BLANKS = re.compile(r"[ \t]+")
"""Not white space at large: a word may be a full-width blank."""
HEADINGS = frozenset({"tag", "tags", "ner", "ner_tag", "ner_tags", "label", "labels"})
"""What the last cell of a first line is that names the columns."""
FOUR = 4
"""Columns of GermEval 2014: index, word, outer tag, inner tag."""


class Line(NamedTuple):
    """A word's line: its number in the file, and its columns."""

    number: int
    columns: tuple[str, ...]


class Columns(NamedTuple):
    """Which column is which, counted from 0.

    Attributes:
        word: of the words.
        tag: of their tags.
        nested: of further tags, for entities within entities.
    """

    word: int
    tag: int
    nested: tuple[int, ...] = ()


def lines_of(file: TextFile) -> list[list[Line]]:
    """The lines of each sentence, in columns.

    Raises:
        SuiteError: a line has one column, or the lines differ in their number of columns.
    """
    separate = _separator(file)
    sentences: list[list[Line]] = [[]]
    for number, text in enumerate(file.lines(), 1):
        columns = separate(text)
        if number == 1 and columns and columns[-1].lower() in HEADINGS:
            continue
        if not any(columns) or columns[0] == _DOCUMENT or _is_comment(text, columns):
            sentences.append([])
            continue
        if len(columns) == 1:
            raise SuiteError(
                f"{columns[0]!r} has no tag",
                where=f"{file.path}, line {number}",
                remedy="Each line is a word and its tag.",
            )
        sentences[-1].append(Line(number, columns))
    return [lines for lines in sentences if lines]


def _separator(file: TextFile) -> Callable[[str], tuple[str, ...]]:
    """How the lines of a file fall into columns."""
    if file.name.endswith(".csv"):
        return lambda text: tuple(next(csv.reader([text]), ()))
    lines = [line for line in file.lines() if line.strip() and not line.startswith(("#", "-DOC"))]
    if lines and all("\t" in line for line in lines):
        return lambda text: tuple(cell.strip(" ") or cell for cell in text.split("\t"))
    return lambda text: tuple(_BLANKS.split(text.strip(" \t")))


def _is_comment(text: str, columns: Sequence[str]) -> bool:
    """`# id 0001 domain=en`, `# sent_id = 1`; a line whose word is `#` ends with a tag."""
    return text.startswith("#") and not Scheme(prefixed=True).reads(columns[-1])


def choose_columns(
    file: TextFile, sentences: Sequence[Sequence[Line]], problems: ProblemLog
) -> Columns:
    """The columns of a file.

    The word is first, after an index if there is one. The tag is last. Where the last two columns
    hold tags of the same types, the last is either the inner level of nested entities (GermEval
    2014: index, word, outer, inner) or a system's prediction (conlleval's input), not read then.

    Raises:
        SuiteError: it cannot be told which column is gold.
    """
    lines = [line for sentence in sentences for line in sentence]
    width = min((len(line.columns) for line in lines), default=0)
    wider = next((line for line in lines if len(line.columns) != width), None)
    word = 1 if width > 2 and indexed(sentences) else 0
    if wider is not None:
        return Columns(word, -1)
    before, last = (_kinds(lines, column) for column in (width - 2, width - 1))
    if width - 2 <= word or before is None or last is None:
        return Columns(word, width - 1)
    if word == 1 and width == FOUR and (before or last):
        return Columns(word, width - 2, (width - 1,))
    if before and not last:
        raise SuiteError(
            "its last column has no entity, and the one before it has: either may be gold",
            where=file.path,
            remedy="Delete the column that is not gold (conlleval's last one is a prediction).",
        )
    if before & last:
        problems.notes.append(
            f"the last column of {file.path.name} is taken for a prediction and is not read; gold "
            "is the one before it"
        )
        return Columns(word, width - 2)
    return Columns(word, width - 1)


def indexed(sentences: Sequence[Sequence[Line]]) -> bool:
    """Whether the first column counts the words of every sentence, from 0 or from 1."""
    counted = [[line.columns[0] for line in lines] for lines in sentences]
    return any(
        all(row == [str(i + first) for i in range(len(row))] for row in counted) for first in (0, 1)
    )


def _kinds(lines: Sequence[Line], column: int) -> set[str] | None:
    """The types that a column's tags name; None where it holds something else."""
    values = {line.columns[column] for line in lines}
    scheme = Scheme(prefixed=True)
    if not all(scheme.reads(value) for value in values):
        return None
    return {str(kind_of(value)) for value in values - OUTSIDE}
