"""What CasRel's public code writes with `output_path` (`metric` of its `utils.py`): words alone."""

from __future__ import annotations

from typing import Any

from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.outside.answers import Answer
from suite.outside.forms.written import read_triples


class _Record(RecordModel):
    text: str
    triple_list_pred: list[Any]
    triple_list_gold: list[Any] | None = None


def read(file: TextFile) -> list[Answer]:
    """Reads objects one after the other over any number of lines; see `forms.Reader`."""
    found = []
    for number, raw in enumerate(read_json_records(file, _Record, ProblemLog(file.path)), 1):
        place = f"record {number}"
        claims = read_triples(raw.triple_list_pred, "triple_list_pred", file, place)
        gold = raw.triple_list_gold
        own = None if gold is None else tuple(read_triples(gold, "triple_list_gold", file, place))
        found.append(Answer(place, tuple(claims), text=raw.text, gold=own))
    return found
