"""The first public form of NYT: `sentText` with `relationMentions`."""

from __future__ import annotations

from pydantic import Field

from suite.datasets.align import Mentioned, Record, align, split_words
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Example


class _Entity(RecordModel):
    text: str
    label: str


class _Relation(RecordModel):
    em1Text: str  # noqa: N815 - the file's own name
    em2Text: str  # noqa: N815
    label: str


class _Sentence(RecordModel):
    sentText: str  # noqa: N815
    relationMentions: list[_Relation]  # noqa: N815
    entityMentions: list[_Entity] = Field(default_factory=list)  # noqa: N815


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `{"sentText", "relationMentions", "entityMentions"}`; see `formats.Reader`."""
    examples: list[Example] = []
    for number, raw in enumerate(read_json_records(file, _Sentence, reading.problems), 1):
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        types = {entity.text: entity.label for entity in raw.entityMentions}
        mentioned = [
            Mentioned(r.em1Text, r.label, r.em2Text, types.get(r.em1Text), types.get(r.em2Text))
            for r in raw.relationMentions
        ]
        words = split_words(raw.sentText, record, reading)
        examples.append(align(words, mentioned, record, reading))
    return examples
