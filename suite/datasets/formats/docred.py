"""DocRED's JSON: sentences, clusters of mentions, facts with evidence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from suite.datasets.align import Record
from suite.datasets.formats.records import RecordModel, read_json_records
from suite.datasets.problems import ProblemLog
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError, first_mistake
from suite.tasks.examples import Document, DocumentEntity, Example, Fact, Mention, Span


class _Mention(RecordModel):
    name: str
    pos: tuple[int, int]
    sent_id: int
    type: str
    # Re-DocRED adds these; `pos` and `sent_id` say the same.
    global_pos: Any = None
    index: Any = None


class _Fact(RecordModel):
    h: int
    t: int
    r: str
    evidence: list[int] = Field(default_factory=list)


class _FactColumns(RecordModel):
    """Facts as columns, as a Hugging Face export of DocRED has them."""

    head: list[int]
    tail: list[int]
    relation_id: list[str]
    evidence: list[list[int]] = Field(default_factory=list)

    def rows(self) -> list[_Fact]:
        evidence = self.evidence or [[] for _ in self.head]
        columns = zip(self.head, self.tail, self.relation_id, evidence, strict=True)
        return [_Fact(h=h, t=t, r=r, evidence=e) for h, t, r, e in columns]


class _Document(RecordModel):
    title: str
    sents: list[list[str]]
    vertexSet: list[list[_Mention]]  # noqa: N815 - the file's own name
    labels: list[_Fact] | _FactColumns | None = None


def read(file: TextFile, split: str, reading: Reading) -> list[Example]:
    """Reads `[{"title", "sents", "vertexSet", "labels"}]`; see `formats.Reader`.

    `labels` may be missing or null, as in blind test sets, or hold columns (`head`, `tail`,
    `relation_id`), as on the Hugging Face hub.
    """
    del split
    titles: Counter[str] = Counter()
    examples: list[Example] = []
    for number, raw in enumerate(read_json_records(file, _Document, reading.problems), 1):
        titles[raw.title] += 1
        again = titles[raw.title]
        identity = raw.title if again == 1 else f"{raw.title} #{again}"
        record = Record(identity, file.path, f"record {number} ({raw.title!r})")
        examples.append(_document(raw, record, reading.problems))
    return examples


def read_document(raw: Mapping[str, Any], identity: str) -> Document:
    """One document of this form, without its facts, if it has any.

    Args:
        raw: its JSON.
        identity: its id.

    Raises:
        SuiteError: it is none.
    """
    bare = {name: raw[name] for name in ("title", "sents", "vertexSet") if name in raw}
    try:
        # As JSON, under whose rules a list may be a tuple.
        document = _Document.model_validate_json(json.dumps({"title": identity, **bare}))
    except ValidationError as error:
        cause = first_mistake(error)
        raise SuiteError(cause, remedy="Documents are of DocRED's form.") from error
    record = Record(identity, document.title, "document")
    return _document(document, record, ProblemLog(Path(identity)))


def _document(raw: _Document, record: Record, problems: ProblemLog) -> Document:
    starts: list[int] = []
    words: list[str] = []
    for sentence in raw.sents:
        starts.append(len(words))
        words += sentence
    if not words:
        raise record.error("the document has no words", "Delete the record or give its sentences.")
    entities = tuple(
        _entity(cluster, [len(s) for s in raw.sents], starts, f"vertexSet.{i}", record)
        for i, cluster in enumerate(raw.vertexSet)
    )
    facts: dict[tuple[int, str, int], Fact] = {}
    for i, label in enumerate(_labels(raw, record)):
        fact = _fact(label, len(entities), len(raw.sents), f"labels.{i}", record)
        if fact[:3] in facts:
            problems.add("duplicates", record.place, f"{label.h} {label.r} {label.t}")
        facts.setdefault(fact[:3], fact)
    return Document(
        record.id, raw.title, tuple(words), tuple(starts), entities, tuple(facts.values())
    )


def _labels(raw: _Document, record: Record) -> list[_Fact]:
    if not isinstance(raw.labels, _FactColumns):
        return raw.labels or []
    try:
        return raw.labels.rows()
    except ValueError as error:
        raise record.error(
            "labels: its columns head, tail and relation_id differ in length",
            "Each fact has an entry in each of them.",
        ) from error


def _entity(
    cluster: list[_Mention], sizes: list[int], starts: list[int], field: str, record: Record
) -> DocumentEntity:
    if not cluster:
        raise record.error(f"{field}: the entity has no mention", "Delete it or give a mention.")
    mentions = []
    for i, mention in enumerate(cluster):
        if not 0 <= mention.sent_id < len(sizes):
            raise record.error(
                f"{field}.{i}.sent_id: {mention.sent_id} is not one of the {len(sizes)} sentences",
                "Sentences count from 0.",
            )
        start, end = mention.pos
        size = sizes[mention.sent_id]
        if not 0 <= start < end <= size:
            raise record.error(
                f"{field}.{i}.pos: {start} to {end} lies outside the {size} words of sentence "
                f"{mention.sent_id}, is empty or reversed",
                "`pos` counts the sentence's words from 0 and its end is exclusive.",
            )
        offset = starts[mention.sent_id]
        span = Span(offset + start, offset + end)
        mentions.append(Mention(span, mention.sent_id, mention.name))
    return DocumentEntity(cluster[0].name, cluster[0].type, tuple(mentions))


def _fact(raw: _Fact, entities: int, sentences: int, field: str, record: Record) -> Fact:
    for side, value in (("h", raw.h), ("t", raw.t)):
        if not 0 <= value < entities:
            raise record.error(
                f"{field}.{side}: {value} is not an index of the {entities} entities",
                "It counts `vertexSet` from 0.",
            )
    outside = [s for s in raw.evidence if not 0 <= s < sentences]
    if outside:
        raise record.error(
            f"{field}.evidence: {outside[0]} is not one of the {sentences} sentences",
            "Sentences count from 0.",
        )
    return Fact(raw.h, raw.r, raw.t, tuple(raw.evidence))
