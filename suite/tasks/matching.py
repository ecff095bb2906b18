"""When two items of an example count as the same, and in which words an item is known again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Literal

from suite.tasks.examples import (
    Document,
    DocumentEntity,
    Entity,
    Example,
    Fact,
    Sentence,
    Span,
    SurfaceTriple,
    Task,
    Triple,
)
from suite.tasks.items import Item

Match = Literal["partial", "exact"]
Matching = Literal["offsets", "surface"]

Wording = tuple[str, ...]
"""An item in words, by which it is found again in train."""


def selection_match(task: Task, match: Match) -> Match:
    """The rule under which dev F1 selects: the protocol's for triples, `exact` for the others.

    Entities are matched whole throughout the literature, and facts by their entities.
    """
    return match if task == "triples" else "exact"


def gold_items(example: Example, task: Task) -> list[Item]:
    """The gold of an example; of triples, those without a place last."""
    if isinstance(example, Document):
        return list(example.facts)
    return list(example.entities) if task == "ner" else [*example.triples, *example.unplaced]


def surface(words: Sequence[str], triple: Triple | SurfaceTriple) -> SurfaceTriple:
    """The triple in words."""
    if isinstance(triple, SurfaceTriple):
        return triple
    head, relation, tail = triple
    return SurfaceTriple(in_words(words, head), relation, in_words(words, tail))


def in_words(words: Sequence[str], span: Span) -> str:
    """The words of a span."""
    return " ".join(words[span.start : span.end])


def key(example: Example, item: Item, matching: Matching, match: Match) -> Hashable:
    """What two items of an example have in common where they count as the same.

    Args:
        example: whose words tell what a span says.
        item: gold or predicted.
        matching: of triples: `offsets`: a span is its place; `surface`: a span is its words, as
            CasRel and FastRE compare, for data whose gold has no offsets.
        match: `exact`: relation or type and whole spans; `partial`: relation or type and first
            words. A fact is its relation and its two entities under both.
    """
    if isinstance(item, Fact):
        return item.head, item.relation, item.tail
    if isinstance(item, Entity):
        return (item.span.start if match == "partial" else item.span), item.type
    if matching == "surface" or isinstance(item, SurfaceTriple):
        head, relation, tail = surface(example.words, item)
        if match == "partial":
            head, tail = head.split(" ", 1)[0], tail.split(" ", 1)[0]
        return head, relation, tail
    if match == "partial":
        return item.head.start, item.relation, item.tail.start
    return item


def wordings(example: Example, item: Item) -> set[Wording]:
    """An item in words: a fact, as Ign F1 has it, in any of its entities' mentions."""
    if isinstance(item, Entity):
        return {(in_words(example.words, item.span), item.type)}
    if isinstance(item, Fact):
        assert isinstance(example, Document)
        heads, tails = (_names(example, example.entities[i]) for i in (item.head, item.tail))
        return {(head, item.relation, tail) for head in heads for tail in tails}
    return {tuple(surface(example.words, item))}


def _names(document: Document, entity: DocumentEntity) -> set[str]:
    return {in_words(document.words, mention.span) for mention in entity.mentions}


def all_wordings(examples: Iterable[Example], task: Task) -> frozenset[Wording]:
    """Every gold item of a split, in words."""
    return frozenset(
        wording
        for example in examples
        for item in gold_items(example, task)
        for wording in wordings(example, item)
    )


def nested(sentence: Sentence, entity: Entity) -> bool:
    """Whether one of the sentence's gold entities of another span shares words with an entity."""
    start, end = entity.span
    return any(
        other.span != entity.span and other.span.start < end and start < other.span.end
        for other in sentence.entities
    )
