"""SpERT's JSON: tokens, typed spans, relations between them; also used for nested entities."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from suite.datasets.align import Record
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Entity, Example, Sentence, Span, Triple


class _Entity(RecordModel):
    type: str
    start: int
    end: int


class _Relation(RecordModel):
    type: str
    head: int
    tail: int


class _Sentence(RecordModel):
    tokens: list[str]
    entities: list[_Entity]
    relations: list[_Relation] = Field(default_factory=list)
    # SpERT's copies of CoNLL04 and SciERC carry these; no system reads them.
    orig_id: Any = None
    ltokens: Any = None
    rtokens: Any = None


def _entity(raw: _Entity, words: int, index: int, record: Record) -> Entity:
    if not 0 <= raw.start < raw.end <= words:
        kind = "is empty" if raw.start == raw.end else "is reversed" if raw.end < raw.start else ""
        raise record.error(
            f"entities.{index}: the span from {raw.start} to {raw.end} "
            f"{kind or f'lies outside the {words} tokens'}",
            "`start` counts from 0 and `end` is exclusive.",
        )
    return Entity(Span(raw.start, raw.end), raw.type)


def _triple(raw: _Relation, entities: list[Entity], index: int, record: Record) -> Triple:
    for side, value in (("head", raw.head), ("tail", raw.tail)):
        if not 0 <= value < len(entities):
            raise record.error(
                f"relations.{index}.{side}: {value} is not an index of the "
                f"{len(entities)} entities",
                "It counts the record's entities from 0.",
            )
    return Triple(entities[raw.head].span, raw.type, entities[raw.tail].span)


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `[{"tokens", "entities", "relations"}]`; see `formats.Reader`.

    The file's own entity types are taken; `types` has no part in it.
    """
    examples: list[Example] = []
    for number, raw in enumerate(read_json_records(file, _Sentence, reading.problems), 1):
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        if not raw.tokens:
            raise record.error("the text has no words", "Delete the record or give its tokens.")
        if not all(raw.tokens):
            raise record.error(f"tokens.{raw.tokens.index('')}: is empty", "Delete the token.")
        words = tuple(raw.tokens)
        entities = [_entity(e, len(words), i, record) for i, e in enumerate(raw.entities)]
        triples = [_triple(r, entities, i, record) for i, r in enumerate(raw.relations)]
        for repeats in (len(entities) - len(set(entities)), len(triples) - len(set(triples))):
            for _ in range(repeats):
                reading.problems.add("duplicates", record.place, "an entity or relation repeats")
        unique = tuple(sorted(set(entities)))
        examples.append(Sentence(record.id, words, tuple(dict.fromkeys(triples)), unique))
    return examples
