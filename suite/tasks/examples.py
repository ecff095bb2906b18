"""The typed examples that every reader produces and every system consumes.

Offsets count words, from 0, and `end` is exclusive throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple

TaskName = Literal["triples", "docre", "ner"]
"""What files and records call a task; `suite.tasks.registry` has the tasks themselves."""


class Span(NamedTuple):
    """Words `start` up to, not including, `end`."""

    start: int
    end: int

    def meets(self, other: Span) -> bool:
        """Whether the two share a word."""
        return self.start < other.end and other.start < self.end


def any_meet(spans: Iterable[Span]) -> bool:
    """Whether two of several spans share a word, as two that are equal do."""
    return any(before.meets(after) for before, after in pairwise(sorted(spans)))


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


class SurfaceEntity(NamedTuple):
    """A predicted entity whose words are not in the text: it counts as predicted, and is wrong."""

    words: str
    type: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """An example of the tasks `triples` and `ner`.

    Attributes:
        id: unique within its split, stable from run to run.
        words: the dataset's own tokens, at least one.
        triples: gold triples, without duplicates, in the order of the file.
        entities: typed spans; for `triples` every head and tail of `triples` is among them.
        unplaced: gold triples without a place among the words.
        repeats: triples that the file names again, once for each time; counted, never scored.
    """

    id: str
    words: tuple[str, ...]
    triples: tuple[Triple, ...] = ()
    entities: tuple[Entity, ...] = ()
    unplaced: tuple[SurfaceTriple, ...] = ()
    repeats: tuple[Triple | SurfaceTriple, ...] = ()

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

    def bare(self) -> Sentence:
        """What a system is given at inference: words alone."""
        return Sentence(self.id, self.words)

    def with_entities_alone(self) -> Sentence:
        """What a system is given that need not find the entities."""
        return Sentence(self.id, self.words, entities=self.entities)

    def relations(self) -> Iterator[str]:
        """The relation of each triple, those without a place last."""
        return (t.relation for group in (self.triples, self.unplaced) for t in group)

    def without(self, relations: Set[str]) -> Sentence:
        """The sentence without triples of some relations."""
        return replace(
            self,
            triples=tuple(t for t in self.triples if t.relation not in relations),
            unplaced=tuple(t for t in self.unplaced if t.relation not in relations),
            repeats=tuple(t for t in self.repeats if t.relation not in relations),
        )

    def not_found(self) -> list[SurfaceTriple]:
        """Gold whose words are not in the text."""
        return list(self.unplaced)

    def loops(self) -> int:
        """Gold that no system can predict since head and tail are one; none is known here."""
        return 0

    def types(self) -> Iterator[str]:
        """The type of each entity."""
        return (entity.type for entity in self.entities)

    def holds_nested(self) -> bool:
        """Whether two entities share words."""
        return any_meet(entity.span for entity in set(self.entities))

    def types_of_heads(self) -> Iterator[tuple[str, set[str]]]:
        """Of each triple with a place, the relation and the types of what is its head."""
        for triple in self.triples:
            yield triple.relation, {e.type for e in self.entities if e.span == triple.head}

    def clusters(self) -> list[list[Span]]:
        """The mentions of each entity: a span of the entities, each with itself as the only one."""
        return [[span] for span in dict.fromkeys(e.span for e in self.entities)]

    def related(self) -> list[tuple[int, int, str]]:
        """Head and tail, as indices into `clusters`, and relation of each triple with a place."""
        number = {span: i for i, (span,) in enumerate(self.clusters())}
        return [(number[head], number[tail], relation) for head, relation, tail in self.triples]

    def content(self) -> list[object]:
        """What tells the example from others, sets sorted; neither id nor order."""
        return [
            self.words,
            sorted(self.triples),
            sorted(self.entities),
            sorted(self.unplaced),
        ]


class Mention(NamedTuple):
    """One mention of a document's entity; offsets count the document's words.

    Attributes:
        name: as its file names it, which may differ from its words; empty: its words.
    """

    span: Span
    sentence: int
    name: str = ""


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

    def cut(self, max_words: int) -> Document:
        """The document itself: it is never cut, whatever the protocol's limit for sentences."""
        del max_words
        return self

    def bare(self) -> Document:
        """What a system is given at inference: words and entities."""
        return replace(self, facts=())

    def with_entities_alone(self) -> Document:
        """What a system is given that need not find the entities: as all are on documents."""
        return self.bare()

    def relations(self) -> Iterator[str]:
        """The relation of each fact."""
        return (fact.relation for fact in self.facts)

    def without(self, relations: Set[str]) -> Document:
        """The document without facts of some relations."""
        return replace(self, facts=tuple(f for f in self.facts if f.relation not in relations))

    def not_found(self) -> list[SurfaceTriple]:
        """None: entities are given with their mentions."""
        return []

    def loops(self) -> int:
        """Facts of an entity with itself, which no system pairs."""
        return sum(fact.head == fact.tail for fact in self.facts)

    def types(self) -> Iterator[str]:
        """The type of each entity."""
        return (entity.type for entity in self.entities)

    def holds_nested(self) -> bool:
        """Never: what the mentions of a document share is not asked about."""
        return False

    def types_of_heads(self) -> Iterator[tuple[str, set[str]]]:
        """Of each fact, the relation and the type of its head."""
        for fact in self.facts:
            yield fact.relation, {self.entities[fact.head].type}

    def clusters(self) -> list[list[Span]]:
        """The mentions of each entity."""
        return [[mention.span for mention in entity.mentions] for entity in self.entities]

    def related(self) -> list[tuple[int, int, str]]:
        """Head and tail, as indices into `clusters`, and relation of each fact."""
        return [(fact.head, fact.tail, fact.relation) for fact in self.facts]

    def content(self) -> list[object]:
        """What tells the example from others, sets sorted; neither title nor evidence."""
        return [
            self.words,
            self.sentence_starts,
            [[e.type, sorted(m.span for m in e.mentions)] for e in self.entities],
            sorted({f[:3] for f in self.facts}),
        ]


Example = Sentence | Document
