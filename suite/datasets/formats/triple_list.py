"""CasRel's and PRGC's `triple_list` JSON: surface strings, no offsets."""

from __future__ import annotations

from suite.datasets.align import Mentioned, Record, align, split_words
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Example


class _Sentence(RecordModel):
    text: str
    triple_list: list[tuple[str, str, str]]


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `[{"text", "triple_list": [[head, relation, tail]]}]`; see `formats.Reader`."""
    examples: list[Example] = []
    for number, raw in enumerate(read_json_records(file, _Sentence, reading.problems), 1):
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        words = split_words(raw.text, record, reading)
        mentioned = [Mentioned(*triple) for triple in raw.triple_list]
        examples.append(align(words, mentioned, record, reading))
    return examples
