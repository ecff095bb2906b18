"""TPLinker's `relation_list` JSON: surface strings, beside offsets that need not be there."""

from __future__ import annotations

from suite.datasets.align import Mentioned, Record, align, split_words
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Example


class _Relation(RecordModel):
    subject: str
    predicate: str
    object: str


class _Sentence(RecordModel):
    text: str
    relation_list: list[_Relation]


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `[{"text", "relation_list": [{"subject", "predicate", "object"}]}]`.

    See `formats.Reader`. Offsets of characters and of subwords are not read: they depend on a
    tokenizer, and the public files with and without them hold the same triples.
    """
    examples: list[Example] = []
    for number, raw in enumerate(read_json_records(file, _Sentence, reading.problems), 1):
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        mentioned = [Mentioned(r.subject, r.predicate, r.object) for r in raw.relation_list]
        words = split_words(raw.text, record, reading)
        examples.append(align(words, mentioned, record, reading))
    return examples
