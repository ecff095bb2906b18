"""CasRel's and PRGC's `triple_list` JSON: surface strings, no offsets."""

from __future__ import annotations

from suite.datasets.align import Mentioned, Record, align, split_words
from suite.datasets.dataset import TypeMap
from suite.datasets.formats.records import Strict, read_json_records
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Example


class _Sentence(Strict):
    text: str
    triple_list: list[tuple[str, str, str]]


def read(file: TextFile, split: str, types: TypeMap, problems: ProblemLog) -> list[Example]:
    """Reads `[{"text", "triple_list": [[head, relation, tail]]}]`; see `formats.Reader`."""
    examples: list[Example] = []
    for number, raw in enumerate(read_json_records(file, _Sentence), 1):
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        words = split_words(raw.text, record)
        mentioned = [Mentioned(*triple) for triple in raw.triple_list]
        examples.append(align(words, mentioned, types, record, problems))
    return examples
