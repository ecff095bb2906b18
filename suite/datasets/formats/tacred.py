"""TACRED's JSON: one relation between two typed spans a record."""

from __future__ import annotations

from collections.abc import Iterable

from suite.datasets.align import Record, checked_span, placed
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Entity, Example, Sentence, Triple


class _Pair(RecordModel):
    token: list[str]
    relation: str
    subj_start: int
    subj_end: int
    obj_start: int
    obj_end: int
    subj_type: str
    obj_type: str


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `[{"token", "relation", "subj_start", …}]`; see `formats.Reader`.

    Ends are inclusive. The records of one sentence, which hold a pair each, make one example, at
    the place of the first.
    """
    raws = read_json_records(file, _Pair, reading.problems)
    sentences: dict[tuple[str, ...], list[tuple[int, _Pair]]] = {}
    for number, raw in enumerate(raws, 1):
        sentences.setdefault(tuple(raw.token), []).append((number, raw))
    return [_sentence(words, pairs, file, split, reading) for words, pairs in sentences.items()]


def _sentence(
    words: tuple[str, ...],
    pairs: Iterable[tuple[int, _Pair]],
    file: TextFile,
    split: str,
    reading: Reading,
) -> Sentence:
    entities: dict[Entity, None] = {}
    triples = []
    records = []
    for number, raw in pairs:
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        head = checked_span(raw.subj_start, raw.subj_end + 1, len(words), "subj_start", record)
        tail = checked_span(raw.obj_start, raw.obj_end + 1, len(words), "obj_start", record)
        entities |= {Entity(head, raw.subj_type): None, Entity(tail, raw.obj_type): None}
        triples.append(Triple(head, raw.relation, tail))
        records.append(record)
    return placed(words, entities, triples, records[0], reading)
