"""DocRED's JSON: sentences, clusters of mentions, facts with evidence."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import Field

from suite.datasets.align import Record
from suite.datasets.dataset import TypeMap
from suite.datasets.formats.records import Strict, read_json_records
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Document, DocumentEntity, Example, Fact, Mention, Span


class _Mention(Strict):
    name: str
    pos: tuple[int, int]
    sent_id: int
    type: str
    # Re-DocRED adds these; `pos` and `sent_id` say the same.
    global_pos: Any = None
    index: Any = None


class _Fact(Strict):
    h: int
    t: int
    r: str
    evidence: list[int] = Field(default_factory=list)


class _Document(Strict):
    title: str
    sents: list[list[str]]
    vertexSet: list[list[_Mention]]  # noqa: N815 - the file's own name
    labels: list[_Fact] = Field(default_factory=list)


def read(file: TextFile, split: str, types: TypeMap, problems: ProblemLog) -> list[Example]:
    """Reads `[{"title", "sents", "vertexSet", "labels"}]`; see `formats.Reader`.

    `labels` may be missing, as in DocRED's test set; `types` has no part in it.
    """
    del types, split
    titles: Counter[str] = Counter()
    examples: list[Example] = []
    for number, raw in enumerate(read_json_records(file, _Document), 1):
        titles[raw.title] += 1
        again = titles[raw.title]
        identity = raw.title if again == 1 else f"{raw.title} #{again}"
        record = Record(identity, file.path, f"record {number} ({raw.title!r})")
        examples.append(_document(raw, record, problems))
    return examples


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
    for i, label in enumerate(raw.labels):
        fact = _fact(label, len(entities), len(raw.sents), f"labels.{i}", record)
        if fact[:3] in facts:
            problems.add("duplicates", record.place, f"{label.h} {label.r} {label.t}")
        facts.setdefault(fact[:3], fact)
    return Document(
        record.id, raw.title, tuple(words), tuple(starts), entities, tuple(facts.values())
    )


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
