"""The `result.json` of the DocRED competition: a list of facts, each with its document's title."""

from __future__ import annotations

from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.outside.answers import Answer
from suite.tasks.claims import Claim


class _Fact(RecordModel):
    title: str
    h_idx: int
    t_idx: int
    r: str


def read(file: TextFile) -> list[Answer]:
    """Reads `[{"title", "h_idx", "t_idx", "r"}]`; an answer for each title; see `forms.Reader`."""
    claims: dict[str, list[Claim]] = {}
    places: dict[str, str] = {}
    for number, raw in enumerate(read_json_records(file, _Fact, ProblemLog(file.path)), 1):
        places.setdefault(raw.title, f"title {raw.title!r}, first in record {number}")
        claims.setdefault(raw.title, []).append(Claim(raw.r, (raw.h_idx, raw.t_idx)))
    return [Answer(places[title], tuple(found), title) for title, found in claims.items()]
