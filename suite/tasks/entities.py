"""The task `ner`: the typed spans of a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from suite.tasks.claims import Claim, ends_of, place, said
from suite.tasks.conventions import Convention, of_entities
from suite.tasks.examples import Entity, Sentence, Span, SurfaceEntity
from suite.tasks.familiarity import Known
from suite.tasks.lengths import length_slice
from suite.tasks.matching import Match, Matching, Wording, in_words
from suite.tasks.metric import Metric, counted
from suite.tasks.renaming import Name, Named, named_in, renamed
from suite.tasks.scores import AnsweredExample
from suite.tasks.task import ExampleCounts, Task

AnyEntity = Entity | SurfaceEntity
SAME_TYPE, OTHER_TYPE, UNKNOWN = "with this type", "with another type", "not in train"


class EntityCounts(ExampleCounts):
    """A split of the task.

    Attributes:
        nested: entities that lie within another of their sentence, or share its span.
        beyond: sentences longer than the protocol's cut.
        entities_beyond: entities that the cut takes from a system's sight.
    """

    entities: int
    entities_by_type: dict[str, int]
    nested: int
    beyond: int
    entities_beyond: int


class Entities(Task[Sentence, AnyEntity]):
    """Entities are matched by type and span; whole throughout the literature, which selects."""

    name = "ner"
    title = "entities of sentences"
    tag = "named-entity-recognition"
    unit = "sentence"
    items = "entities"
    compared = "spans compared by {matching}"
    rules: ClassVar[Mapping[Match, str]] = {
        "exact": "exact: type and span",
        "partial": "partial: type and first word",
    }
    statistic_names: ClassVar[Mapping[str, str]] = {
        "seen_share": "entities that stand in train (%)",
        "examples": "sentences",
        "words mean": "words per sentence, mean",
        "words max": "words per sentence, most",
        "nested": "entities within another",
        "beyond": "sentences beyond the cut",
        "entities beyond": "entities beyond the cut",
    }
    evaluation_batch = 128
    has_relations = False
    nests = True
    familiarities = (SAME_TYPE, OTHER_TYPE, UNKNOWN)

    @classmethod
    def declared(cls) -> Iterable[Metric]:
        """Precision, recall and F1 under both rules."""
        return counted(
            cls.rules,
            "Match: *exact*: type and whole span, as the field counts; *partial*: type and first "
            "word, which forgives a wrong end.",
            dict.fromkeys(("precision", "recall", "f1"), ("test",)),
        )

    def gold(self, example: Sentence) -> list[AnyEntity]:
        """The typed spans."""
        return list(example.entities)

    def key(self, example: Sentence, item: AnyEntity, matching: Matching, match: Match) -> Hashable:
        """Type and span, or type and first word."""
        del example, matching
        if isinstance(item, SurfaceEntity):
            return item
        return (item.span.start if match == "partial" else item.span), item.type

    def wordings(self, example: Sentence, item: AnyEntity) -> set[Wording]:
        """Words and type."""
        return {(_words(example, item), item.type)}

    def known(self, examples: Iterable[Sentence]) -> Known:
        """Entities with their types, and their names alone."""
        typed = self.all_wordings(examples)
        return Known(typed, frozenset(), frozenset(words for words, _ in typed))

    def familiarity(self, example: Sentence, item: AnyEntity, known: Known) -> str:
        """Whether train has it with its type, with another one, or not at all."""
        words = _words(example, item)
        if (words, item.type) in known.items:
            return SAME_TYPE
        return OTHER_TYPE if words in known.entities else UNKNOWN

    def conventions(self, match: Match, matching: Matching) -> list[Convention]:
        """Those of entities."""
        return of_entities(match, matching)

    def named(self, example: Sentence, *, by_part: bool) -> list[Named]:
        """Those of the same words are one."""
        return named_in(example, by_part=by_part)

    def renamed(self, example: Sentence, names: Mapping[Span, Name]) -> Sentence:
        """With the offsets of all that it holds."""
        return renamed(example, names)

    def shown(self, example: Sentence, item: AnyEntity) -> list[object]:
        """Words and type, and the span where the words have a place."""
        place = [] if isinstance(item, SurfaceEntity) else [list(item.span)]
        return [_words(example, item), item.type, *place]

    def item_of(self, example: Sentence, claim: Claim, occurrence: int) -> AnyEntity:
        """By its place; words that are named again are taken at their next occurrence."""
        (end,) = ends_of(claim, 1, self.items)
        span = place(example.words, end, occurrence)
        if span is None:
            return SurfaceEntity(said(example.words, end, None), claim.label)
        return Entity(span, claim.label)

    def example_of(self, answered: AnsweredExample) -> Sentence:
        """Words and entities."""
        entities = tuple(Entity(Span(*span), kind) for _, kind, span in answered.gold)
        return Sentence(answered.id, tuple(answered.text.split(" ")), entities=entities)

    def slices_of_example(self, example: Sentence, gold: int) -> dict[str, list[str]]:
        """Length."""
        del gold
        return {"length": [length_slice(len(example.words))]}

    def slices_of_items(self, example: Sentence) -> dict[str, Callable[[AnyEntity], str]]:
        """The type, and whether it shares words with another."""
        return {"type": lambda entity: entity.type, "nested": partial(_nested_slice, example)}

    def count(
        self, examples: Sequence[Sentence], max_words: int, common: Mapping[str, Any]
    ) -> EntityCounts:
        """Entities by type, nested ones, and those beyond the cut."""
        types = Counter(kind for s in examples for kind in s.types())
        return EntityCounts(
            **common,
            entities=sum(len(s.entities) for s in examples),
            entities_by_type=dict(sorted(types.items())),
            nested=sum(_covered(s) for s in examples),
            beyond=sum(len(s.words) > max_words for s in examples),
            entities_beyond=sum(len(s.entities) - len(s.cut(max_words).entities) for s in examples),
        )


def _words(sentence: Sentence, entity: AnyEntity) -> str:
    if isinstance(entity, SurfaceEntity):
        return entity.words
    return in_words(sentence.words, entity.span)


def _nested_slice(sentence: Sentence, entity: AnyEntity) -> str:
    """Whether a gold entity of another span shares words with the entity."""
    if isinstance(entity, SurfaceEntity):
        return "flat"
    shared = any(
        other.span != entity.span and other.span.meets(entity.span) for other in sentence.entities
    )
    return "nested" if shared else "flat"


def _covered(sentence: Sentence) -> int:
    """Entities that another one of the sentence covers."""
    return sum(
        any(
            other is not inner
            and other.span.start <= inner.span.start
            and inner.span.end <= other.span.end
            for other in sentence.entities
        )
        for inner in sentence.entities
    )
