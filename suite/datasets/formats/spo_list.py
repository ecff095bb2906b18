"""FastRE's `spo_list` JSON: surface strings, no offsets, types where the file has them."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from suite.datasets.align import Mentioned, Record, align, split_words
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Example

VALUE = "@value"
"""Where DuIE 2.0 and CMeIE keep an object, whose other fields name what belongs to it."""


def _valued(value: Any) -> Any:
    return value[VALUE] if isinstance(value, dict) and VALUE in value else value


class _Triple(RecordModel):
    subject: str
    predicate: str
    object: str
    subject_type: str | None = None
    object_type: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, raw: Any) -> Any:
        """Some copies write a triple as a list of subject, predicate and object."""
        if isinstance(raw, list) and len(raw) == 3:
            return dict(zip(("subject", "predicate", "object"), raw, strict=True))
        if isinstance(raw, dict):
            return {name: _valued(value) for name, value in raw.items()}
        return raw


class _Sentence(RecordModel):
    text: str
    spo_list: list[_Triple]


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `[{"text", "spo_list": [{"subject", "predicate", "object"}]}]`; see `formats.Reader`.

    A triple may be a list of the three as well. The shape is that of the public FastRE code
    (seukgcode/FastRE, `data/nyt10/new_test.json`); `subject_type` and `object_type` are those of
    its relatives for Chinese (DuIE).
    """
    examples: list[Example] = []
    for number, raw in enumerate(read_json_records(file, _Sentence, reading.problems), 1):
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        words = split_words(raw.text, record, reading)
        mentioned = [
            Mentioned(t.subject, t.predicate, t.object, t.subject_type, t.object_type)
            for t in raw.spo_list
        ]
        examples.append(align(words, mentioned, record, reading))
    return examples
