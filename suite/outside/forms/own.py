"""The suite's own `predictions.jsonl`, as every run leaves it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.outside.answers import Answer
from suite.tasks.claims import Claim, End
from suite.tasks.shown import ShownItem, read_shown

REMEDY = "Name the predictions.jsonl of a run as the suite wrote it."


class _Record(RecordModel):
    id: str
    text: str
    gold: list[list[Any]]
    predicted: list[list[Any]]


def read(file: TextFile) -> list[Answer]:
    """Reads a line for each test example; see `forms.Reader`."""
    found = []
    for number, raw in enumerate(read_json_records(file, _Record, ProblemLog(file.path)), 1):
        place = f"record {number}"
        predicted = [
            _claim(row[:-1], row[-1] if row else None, f"predicted.{i}", file, place)
            for i, row in enumerate(raw.predicted)
        ]
        gold = [_claim(row, 1.0, f"gold.{i}", file, place) for i, row in enumerate(raw.gold)]
        found.append(Answer(place, tuple(predicted), raw.id, raw.text, gold=tuple(gold)))
    return found


def _claim(row: list[Any], score: Any, field: str, file: TextFile, record: str) -> Claim:
    """An item by what follows its words: spans of a triple or an entity, indices of a fact."""
    item: ShownItem | None = None
    with suppress(ValueError):
        item = read_shown(row)
    if item is None or isinstance(score, bool) or not isinstance(score, int | float):
        raise SuiteError(
            f"{field}: {ascii([*row, score])[:100]} is not an item as the suite writes it",
            where=f"{file.path}, {record}",
            remedy=REMEDY,
        )
    ends: Iterable[End] = (e.words if e.place is None else e.place for e in item.ends)
    return Claim(item.label, tuple(ends), float(score))
