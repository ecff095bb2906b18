"""OpenNRE's records: a text, and one relation between two names in it."""

from __future__ import annotations

from typing import Any

from suite.datasets.align import Mentioned, Record, align, split_words
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Example


class _Name(RecordModel):
    name: str
    type: str | None = None
    pos: Any = None  # characters or words, by the dataset; the name says which words


class _Pair(RecordModel):
    text: str | None = None
    token: list[str] | None = None
    relation: str
    h: _Name
    t: _Name


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `{"text" or "token", "h": {"name"}, "t": {"name"}, "relation"}`; see `formats.Reader`.

    The records of one sentence make one example. Names are placed at their first occurrence.
    """
    texts: dict[tuple[str, ...], tuple[Record, list[Mentioned]]] = {}
    for number, raw in enumerate(read_json_records(file, _Pair, reading.problems), 1):
        record = Record(f"{split}-{number}", file.path, f"record {number}")
        words = tuple(raw.token) if raw.token else split_words(raw.text or "", record, reading)
        mentioned = Mentioned(raw.h.name, raw.relation, raw.t.name, raw.h.type, raw.t.type)
        texts.setdefault(words, (record, []))[1].append(mentioned)
    return [
        align(words, mentioned, record, reading) for words, (record, mentioned) in texts.items()
    ]
