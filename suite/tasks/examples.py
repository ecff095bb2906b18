"""The typed examples that every reader produces and every system consumes.

Offsets count words, from 0, and `end` is exclusive throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Task = Literal["triples", "docre", "ner"]
TASKS: tuple[Task, ...] = ("triples", "docre", "ner")


class Span(NamedTuple):
    """Words `start` up to, not including, `end`."""

    start: int
    end: int


class Entity(NamedTuple):
    """A typed span."""

    span: Span
    type: str


class Triple(NamedTuple):
    """A relation between two spans of one sentence."""

    head: Span
    relation: str
    tail: Span


class SurfaceTriple(NamedTuple):
    """A gold triple whose head or tail could not be found among the words.

    It stays part of the gold set: by offsets no prediction can match it, so it counts as missed.
    """

    head: str
    relation: str
    tail: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """An example of the tasks `triples` and `ner`.

    Attributes:
        id: unique within its split, stable from run to run.
        words: the dataset's own tokens, at least one.
        triples: gold triples, without duplicates, in the order of the file.
        entities: typed spans; for `triples` every head and tail of `triples` is among them.
        unplaced: gold triples without a place among the words.
    """

    id: str
    words: tuple[str, ...]
    triples: tuple[Triple, ...] = ()
    entities: tuple[Entity, ...] = ()
    unplaced: tuple[SurfaceTriple, ...] = ()

    def cut(self, max_words: int) -> Sentence:
        """The sentence's first `max_words` words and what lies wholly within them."""
        if len(self.words) <= max_words:
            return self
        return Sentence(
            id=self.id,
            words=self.words[:max_words],
            triples=tuple(t for t in self.triples if max(t.head.end, t.tail.end) <= max_words),
            entities=tuple(e for e in self.entities if e.span.end <= max_words),
            unplaced=self.unplaced,
        )


class Mention(NamedTuple):
    """One mention of a document's entity; offsets count the document's words."""

    span: Span
    sentence: int


class Fact(NamedTuple):
    """A relation between two entities of one document, given by their index."""

    head: int
    relation: str
    tail: int
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentEntity:
    """A cluster of mentions."""

    name: str
    type: str
    mentions: tuple[Mention, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """An example of the task `docre`.

    Attributes:
        id: unique within its split (DocRED's title, made unique where titles repeat).
        title: the title as the file has it.
        words: all words of the document.
        sentence_starts: offset of each sentence's first word.
        entities: clusters of mentions.
        facts: gold facts; empty where the split is not labelled.
    """

    id: str
    title: str
    words: tuple[str, ...]
    sentence_starts: tuple[int, ...]
    entities: tuple[DocumentEntity, ...]
    facts: tuple[Fact, ...] = ()


Example = Sentence | Document
