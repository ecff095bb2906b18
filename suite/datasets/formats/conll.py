"""Columns: a word per line, its tag in another column, blank lines between sentences."""

from __future__ import annotations

from collections.abc import Sequence

from suite.datasets.align import Record
from suite.datasets.formats.column_layout import Line, choose_columns, lines_of
from suite.datasets.formats.tags import Scheme, decode
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.tasks.examples import Entity, Example, Sentence, Span

LONGEST = 300
"""Words from which upwards a file that is one sentence has lost its blank lines."""


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads columns separated by tabs, blanks or commas; see `formats.Reader`.

    `-DOCSTART-` lines, comments and an index of words are not words. Which column is the tag is
    told in `column_layout`.

    Raises:
        SuiteError: a line of one column, a tag of no known scheme, or a file without blank lines.
    """
    sentences = lines_of(file)
    refuse_one_sentence(file, sentences)
    columns = choose_columns(file, sentences, reading.problems)
    tags = [line.columns[columns.tag] for lines in sentences for line in lines]
    scheme = Scheme.of(tags)
    examples: list[Example] = []
    for number, lines in enumerate(sentences, 1):
        record = Record(f"{split}-{number}", file.path, f"line {lines[0].number}")
        words, entities = read_sentence(file, lines, columns.word, columns.tag, scheme)
        for nested in columns.nested:
            more = read_sentence(file, lines, columns.word, nested, scheme)[1]
            entities = tuple(sorted({*entities, *more}))
        examples.append(Sentence(record.id, words, entities=entities))
    return examples


def read_sentence(
    file: TextFile, lines: Sequence[Line], word: int, tag: int, scheme: Scheme
) -> tuple[tuple[str, ...], tuple[Entity, ...]]:
    """Words and entities; a cell of several words has the tag for all of them.

    Args:
        file: for messages.
        lines: of the sentence.
        word: column of the words.
        tag: column of their tags.
        scheme: of the tags.

    Raises:
        SuiteError: a tag is not of the scheme.
    """
    tags = [line.columns[tag] for line in lines]
    for line, one in zip(lines, tags, strict=True):
        if not scheme.reads(one):
            decode([one], scheme, f"{file.path}, line {line.number}")
    found = decode(tags, scheme, file.path)
    cells = [
        line.columns[word].split(" ") if line.columns[word] != " " else [" "] for line in lines
    ]
    cells = [[part for part in cell if part] or cell for cell in cells]
    starts = [0]
    for cell in cells:
        starts.append(starts[-1] + len(cell))
    words = tuple(part for cell in cells for part in cell)
    spans = (Entity(Span(starts[e.span.start], starts[e.span.end]), e.type) for e in found)
    return words, tuple(spans)


def refuse_one_sentence(file: TextFile, sentences: Sequence[Sequence[Line]]) -> None:
    """Refuses a file that has lost its blank lines.

    Raises:
        SuiteError: it is one sentence of more than `LONGEST` words.
    """
    if len(sentences) == 1 and len(sentences[0]) > LONGEST:
        raise SuiteError(
            f"is one sentence of {len(sentences[0]):,} words: it has no blank line",
            where=file.path,
            remedy="Put an empty line after each sentence.",
        )
