"""JSON lines: the id, text or tokens of an example, and its items; what one writes by hand."""

from __future__ import annotations

from typing import Any

from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.outside.answers import Answer
from suite.outside.forms.written import read_entities, read_triples

EXAMPLE = frozenset({"id", "text", "tokens", "title"})
ITEMS = frozenset({"triples", "facts", "entities"})


class _Record(RecordModel):
    id: str | int | None = None
    title: str | None = None
    text: str | None = None
    tokens: list[str] | None = None
    triples: list[Any] | None = None
    facts: list[Any] | None = None
    entities: list[Any] | None = None


def read(file: TextFile) -> list[Answer]:
    """Reads `{"id", "triples": [[head, relation, tail]]}` and the like; see `forms.Reader`."""
    found = []
    for number, raw in enumerate(read_json_records(file, _Record, ProblemLog(file.path)), 1):
        place = f"record {number}"
        if raw.id is None and raw.title is None and raw.text is None and raw.tokens is None:
            raise SuiteError(
                "names no example",
                where=f"{file.path}, {place}",
                remedy="Give its id, text or tokens.",
            )
        # Entities that stand beside triples are what these are about.
        if raw.triples is None and raw.facts is None:
            claims = read_entities(raw.entities or [], "entities", file, place)
        else:
            claims = read_triples(raw.triples or [], "triples", file, place)
            claims += read_triples(raw.facts or [], "facts", file, place)
        name = raw.title if raw.id is None else str(raw.id)
        words = None if raw.tokens is None else tuple(raw.tokens)
        found.append(Answer(place, tuple(claims), name, raw.text, words))
    return found
