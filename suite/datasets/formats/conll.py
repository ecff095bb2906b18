"""CoNLL's columns: a word a line, its tag last, blank lines between sentences."""

from __future__ import annotations

from suite.datasets.align import Record
from suite.datasets.dataset import TypeMap
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.tasks.examples import Entity, Example, Sentence, Span

_DOCUMENT = "-DOCSTART-"


def decode(tags: list[str]) -> tuple[Entity, ...]:
    """The entities of a tag sequence, under IOB1 and BIO (IOB2) alike.

    An entity begins at every `B-`, and at an `I-` that follows `O` or another type: in IOB1 that
    is the usual beginning, and BIO never writes it (Tjong Kim Sang and Veenstra, 1999).
    """
    entities: list[Entity] = []
    start, current = 0, ""
    for position, tag in enumerate([*tags, "O"]):
        kind = tag[2:]
        if current and (tag[0] != "I" or kind != current):
            entities.append(Entity(Span(start, position), current))
            current = ""
        if kind and not current:
            start, current = position, kind
    return tuple(entities)


def read(file: TextFile, split: str, types: TypeMap, problems: ProblemLog) -> list[Example]:
    """Reads columns separated by white space; see `formats.Reader`.

    `-DOCSTART-` lines are not words.

    Raises:
        SuiteError: a line of one column, or a tag that is neither `O`, `B-TYPE` nor `I-TYPE`.
    """
    del types, problems
    examples: list[Example] = []
    words: list[str] = []
    tags: list[str] = []
    start = 1
    for number, line in enumerate([*file.lines(), ""], 1):
        columns = line.split()
        if columns and columns[0] != _DOCUMENT:
            start = start if words else number
            words.append(columns[0])
            tags.append(_tag(columns, file, number))
        elif words:
            record = Record(f"{split}-{len(examples) + 1}", file.path, f"line {start}")
            examples.append(Sentence(record.id, tuple(words), entities=decode(tags)))
            words, tags = [], []
    return examples


def _tag(columns: list[str], file: TextFile, number: int) -> str:
    where = f"{file.path}, line {number}"
    if len(columns) == 1:
        raise SuiteError(
            f"{columns[0]!r} has no tag", where=where, remedy="Each line is a word and its tag."
        )
    tag = columns[-1]
    if tag != "O" and not (tag[:2] in ("B-", "I-") and tag[2:]):
        raise SuiteError(
            f"the tag {tag!r} is neither O, B-TYPE nor I-TYPE",
            where=where,
            remedy="Convert the file to IOB1 or BIO.",
        )
    return tag
