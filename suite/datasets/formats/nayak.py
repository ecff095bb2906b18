"""Nayak and Ng's parallel lines: `.sent`, `.tup` and, where there are offsets, `.pointer`."""

from __future__ import annotations

import re

from suite.datasets.align import Mentioned, Record, align, split_words
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.tasks.examples import Entity, Example, Sentence, Span, Triple
from suite.tasks.schema import ANY

APART = 0.1
"""Share of lines above which two files of one split contradict each other."""


def companion(file: TextFile, suffix: str) -> TextFile | None:
    """The file of the same name with another suffix, if there is one."""
    path = file.path.with_suffix(suffix)
    return TextFile.read(path) if path.is_file() else None


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads the `.sent` file and the triples beside it; see `formats.Reader`.

    A line of `.tup` is `head ; tail ; relation | ...`, one of `.pointer` is
    `head start, head end, tail start, tail end, relation | ...` with blanks between and inclusive
    ends (nusnlp/PtrNetDecoding4JERE). Where there is a `.pointer`, it alone is read for triples.

    Raises:
        SuiteError: neither stands beside the `.sent`, the files differ in their number of lines,
            or a triple has another number of parts.
    """
    pointer, tuples = companion(file, ".pointer"), companion(file, ".tup")
    source = pointer or tuples
    if source is None:
        raise SuiteError(
            "has no triples beside it",
            where=file.path,
            remedy=f"Put {file.path.stem}.tup or {file.path.stem}.pointer into its folder.",
        )
    sentences = file.lines()
    for other in (pointer, tuples):
        if other is not None and len(other.lines()) != len(sentences):
            raise SuiteError(
                f"has {len(other.lines()):,} lines where {file.path.name} has {len(sentences):,}",
                where=other.path,
                remedy="Line i of one belongs to line i of the other; one of them is cut off.",
            )
    if pointer is not None and tuples is not None:
        _compare(file, pointer, tuples, reading)
    examples: list[Example] = []
    for number, (text, line) in enumerate(zip(sentences, source.lines(), strict=True), 1):
        record = Record(f"{split}-{number}", source.path, f"line {number}")
        words = split_words(text, Record(record.id, file.path, record.place), reading)
        parts = [part.strip() for part in line.split("|") if part.strip()]
        if pointer is not None:
            examples.append(_placed(words, parts, record, reading))
        else:
            mentioned = [_mentioned(part, record) for part in parts]
            examples.append(align(words, mentioned, record, reading))
    return examples


def _compare(file: TextFile, pointer: TextFile, tuples: TextFile, reading: Reading) -> None:
    """Checks that both files name the same words.

    Raises:
        SuiteError: on more than a tenth of the lines they do not.
    """
    lines = zip(file.lines(), pointer.lines(), tuples.lines(), strict=True)
    apart = []
    for number, (text, pointed, named) in enumerate(lines, 1):
        words = list(reading.split_text(text))
        found = sorted(_words_of(part, words) for part in pointed.split("|") if part.strip())
        there = sorted(tuple(part.split()) for part in named.split("|") if part.strip())
        if found != there:
            apart.append((number, found, there))
    if len(apart) > APART * len(file.lines()):
        number, found, there = apart[0]
        raise SuiteError(
            f"names other words than {tuples.path.name} on {len(apart):,} of "
            f"{len(file.lines()):,} lines: here {' '.join(found[0]) if found else 'nothing'!r}, "
            f"there {' '.join(there[0]) if there else 'nothing'!r}",
            where=f"{pointer.path}, line {number}",
            remedy="Ends in a .pointer are inclusive; if these are exclusive, subtract 1. Or "
            "delete the file that is wrong.",
        )
    if apart:
        reading.problems.notes.append(
            f"{pointer.path.name} names other words than {tuples.path.name} on {len(apart):,} "
            "lines, and is believed"
        )


def _words_of(part: str, words: list[str]) -> tuple[str, ...]:
    """A triple of a `.pointer` as its `.tup` would write it, in words."""
    fields = part.split(maxsplit=4)
    if len(fields) != 5 or not all(field.isdecimal() for field in fields[:4]):
        return (part,)
    a, b, c, d = (int(field) for field in fields[:4])
    return (*words[a : b + 1], ";", *words[c : d + 1], ";", *fields[4].split())


def _mentioned(part: str, record: Record) -> Mentioned:
    fields = [field.strip() for field in part.split(" ; ")]
    if len(fields) != 3:
        raise record.error(
            f"{part!r} has {len(fields)} parts", "A triple is `head ; tail ; relation`."
        )
    head, tail, relation = fields
    return Mentioned(head, relation, tail)


def _placed(
    words: tuple[str, ...],
    parts: list[str],
    record: Record,
    reading: Reading,
) -> Sentence:
    triples: dict[Triple, None] = {}
    entities: set[Entity] = set()
    for part in parts:
        head, tail, relation = _pointed(part, len(words), record)
        triple = Triple(head, relation, tail)
        if triple in triples:
            reading.problems.add("duplicates", record.place, part)
        triples[triple] = None
        head_type, tail_type = reading.types.get(relation, (ANY, ANY))
        entities |= {Entity(head, head_type), Entity(tail, tail_type)}
    return Sentence(record.id, words, tuple(triples), tuple(sorted(entities)))


_NUMBER = re.compile(r"-?[0-9]{1,18}")


def _pointed(part: str, words: int, record: Record) -> tuple[Span, Span, str]:
    fields = part.split(maxsplit=4)
    if len(fields) != 5 or not all(map(_NUMBER.fullmatch, fields[:4])):
        raise record.error(
            f"{part!r} is not four numbers and a relation",
            "A triple is `head-start head-end tail-start tail-end relation`, ends inclusive.",
        )
    head_start, head_end, tail_start, tail_end = (int(field) for field in fields[:4])
    for start, end in ((head_start, head_end), (tail_start, tail_end)):
        if not 0 <= start <= end < words:
            raise record.error(
                f"{part!r}: {start} to {end} lies outside the {words} words or is reversed",
                "Offsets count words from 0; ends are inclusive.",
            )
    return Span(head_start, head_end + 1), Span(tail_start, tail_end + 1), fields[4]
