"""PURE's, DyGIE++'s and PL-Marker's documents: sentences with spans that count through them."""

from __future__ import annotations

from pydantic import Field

from suite.datasets.align import Record, checked_span, placed
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Entity, Example, Sentence, Span, Triple

_Mention = tuple[int, int, str]
_Relation = tuple[int, int, int, int, str]


class _Document(RecordModel):
    sentences: list[list[str]]
    ner: list[list[_Mention]]
    relations: list[list[_Relation]] = Field(default_factory=list)


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `{"sentences", "ner", "relations"}`, a sentence as an example; see `formats.Reader`.

    Positions count the document's words from 0, and ends are inclusive.

    Raises:
        SuiteError: the lists of a document differ in length, or a span leaves its sentence.
    """
    examples: list[Example] = []
    for number, raw in enumerate(read_json_records(file, _Document, reading.problems), 1):
        relations = raw.relations or [[] for _ in raw.sentences]
        place = Record("", file.path, f"record {number}")
        if not len(raw.sentences) == len(raw.ner) == len(relations):
            raise place.error(
                f"has {len(raw.sentences)} sentences, {len(raw.ner)} entries of ner and "
                f"{len(relations)} of relations",
                "Each sentence has an entry in both, if only [].",
            )
        first = 0
        for i, (words, ner, pairs) in enumerate(
            zip(raw.sentences, raw.ner, relations, strict=True), 1
        ):
            record = Record(f"{split}-{number}-{i}", file.path, f"record {number}, sentence {i}")
            if words:
                examples.append(_sentence(words, ner, pairs, first, record, reading))
            first += len(words)
    return examples


def _sentence(
    words: list[str],
    ner: list[_Mention],
    pairs: list[_Relation],
    first: int,
    record: Record,
    reading: Reading,
) -> Sentence:
    def span(start: int, end: int, field: str) -> Span:
        return checked_span(start - first, end + 1 - first, len(words), field, record)

    entities = [Entity(span(a, b, f"ner.{i}"), kind) for i, (a, b, kind) in enumerate(ner)]
    triples = [
        Triple(span(a, b, f"relations.{i}"), relation, span(c, d, f"relations.{i}"))
        for i, (a, b, c, d, relation) in enumerate(pairs)
    ]
    return placed(tuple(words), entities, triples, record, reading)
