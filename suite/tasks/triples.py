"""The task `triples`: relations between two spans of a sentence, both of which are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from suite.tasks.claims import Claim, ends_of, place, said
from suite.tasks.conventions import Convention, of_triples
from suite.tasks.examples import Sentence, Span, SurfaceTriple, Triple
from suite.tasks.familiarity import BOTH, NEITHER, ONE, PAIR, Known, familiarity, pairs_of
from suite.tasks.lengths import length_slice
from suite.tasks.matching import Match, Matching, Wording, in_words, surface, triple_key
from suite.tasks.metric import Metric, counted
from suite.tasks.overlap import PATTERNS, overlap_patterns
from suite.tasks.renaming import Name, Named, named_in, renamed
from suite.tasks.scores import AnsweredExample
from suite.tasks.task import ExampleCounts, Task

AnyTriple = Triple | SurfaceTriple
TRIPLE = "triple"
"""What is said of a triple that train has."""


class TripleCounts(ExampleCounts):
    """A split of the task.

    Attributes:
        overlap: sentences by `suite.tasks.overlap`; one may be both EPO and SEO.
        by_triples: sentences by how many triples they have: 0, 1, 2, 3, 4, 5 or more.
        triples_with_repeats: triples, those that the file repeats counted each time, as published
            statistics of NYT24 and WebNLG* do.
        overlap_with_repeats: likewise.
        unplaced: triples whose head or tail is not among the words.
        beyond: sentences longer than the protocol's cut.
        triples_beyond: triples that the cut takes from a system's sight; they count as missed.
    """

    triples: int
    relations: int
    overlap: dict[str, int]
    by_triples: dict[str, int]
    entities_by_type: dict[str, int]
    triples_with_repeats: int
    overlap_with_repeats: dict[str, int]
    unplaced: int
    beyond: int
    triples_beyond: int


class Triples(Task[Sentence, AnyTriple]):
    """Triples are matched by relation, head and tail."""

    name = "triples"
    title = "relational triples from sentences"
    tag = "relation-extraction"
    unit = "sentence"
    items = "triples"
    compared = "spans compared by {matching}"
    rules: ClassVar[Mapping[Match, str]] = {
        "partial": "partial/{matching}",
        "exact": "exact/{matching}",
    }
    statistic_names: ClassVar[Mapping[str, str]] = {
        "seen_share": "triples that stand in train (%)",
        "triples with repeats": "triples, repeated ones each time (as published counts do)",
        **{
            f"overlap with repeats: {pattern}": f"overlap: {pattern}, repeated triples each time"
            for pattern in PATTERNS
        },
    }
    evaluation_batch = 128
    heads_are_typed = True
    familiarities = (TRIPLE, PAIR, BOTH, ONE, NEITHER)
    explained = True

    @classmethod
    def declared(cls) -> Iterable[Metric]:
        """Precision, recall and F1 under both rules."""
        return counted(
            cls.rules,
            "Match: *partial*: relation and the first word of head and tail; *exact*: relation and "
            "both whole spans.",
            dict.fromkeys(("precision", "recall", "f1"), ("test",)),
        )

    def selection_match(self, match: Match) -> Match:
        """The protocol's."""
        return match

    def gold(self, example: Sentence) -> list[AnyTriple]:
        """Those without a place last."""
        return [*example.triples, *example.unplaced]

    def key(self, example: Sentence, item: AnyTriple, matching: Matching, match: Match) -> Hashable:
        """Relation, head and tail: by place or by words, whole or their first words."""
        return triple_key(example.words, item, matching, match)

    def wordings(self, example: Sentence, item: AnyTriple) -> set[Wording]:
        """Words of the head, relation, words of the tail."""
        return {tuple(surface(example.words, item))}

    def repeats(self, example: Sentence) -> list[AnyTriple]:
        """As the file names them."""
        return list(example.repeats)

    def known(self, examples: Iterable[Sentence]) -> Known:
        """Triples, pairs and entities; where only triples name entities, their heads and tails."""
        held = list(examples)
        triples = self.all_wordings(held)
        pairs = {pair for head, _, tail in triples for pair in pairs_of([head], [tail])}
        entities = {in_words(s.words, e.span) for s in held for e in s.entities}
        entities |= {end for head, _, tail in triples for end in (head, tail)}
        return Known(triples, frozenset(pairs), frozenset(entities))

    def familiarity(self, example: Sentence, item: AnyTriple, known: Known) -> str:
        """By the words of head and tail."""
        head, relation, tail = surface(example.words, item)
        return familiarity({head}, relation, {tail}, known, TRIPLE)

    def conventions(self, match: Match, matching: Matching) -> list[Convention]:
        """Those of triples."""
        return of_triples(match, matching)

    def named(self, example: Sentence, *, by_part: bool) -> list[Named]:
        """Those of the same words are one."""
        return named_in(example, by_part=by_part)

    def renamed(self, example: Sentence, names: Mapping[Span, Name]) -> Sentence:
        """With the offsets of all that it holds."""
        return renamed(example, names)

    def shown(self, example: Sentence, item: AnyTriple) -> list[object]:
        """Head, relation and tail in words, then both spans where the words have a place."""
        if isinstance(item, SurfaceTriple):
            return list(item)
        return [*surface(example.words, item), list(item.head), list(item.tail)]

    def item_of(self, example: Sentence, claim: Claim, occurrence: int) -> AnyTriple:
        """Each end by its place, or at the first occurrence of its words."""
        del occurrence
        head, tail = ends_of(claim, 2, self.items)
        from_, to = place(example.words, head), place(example.words, tail)
        if from_ is not None and to is not None:
            return Triple(from_, claim.label, to)
        words = example.words
        return SurfaceTriple(said(words, head, from_), claim.label, said(words, tail, to))

    def example_of(self, answered: AnsweredExample) -> Sentence:
        """Words and triples; entity types are not known."""
        gold = [_triple(row) for row in answered.gold]
        placed = tuple(t for t in gold if isinstance(t, Triple))
        unplaced = tuple(t for t in gold if isinstance(t, SurfaceTriple))
        return Sentence(answered.id, tuple(answered.text.split(" ")), placed, unplaced=unplaced)

    def slices_of_example(self, example: Sentence, gold: int) -> dict[str, list[str]]:
        """Length, overlap pattern (a sentence may show both EPO and SEO), number of triples."""
        return {
            "length": [length_slice(len(example.words))],
            "overlap": sorted(overlap_patterns(example)),
            "count": ["5 or more" if gold >= 5 else str(gold)],
        }

    def slices_of_items(self, example: Sentence) -> dict[str, Callable[[AnyTriple], str]]:
        """The relation."""
        del example
        return {"relation": lambda triple: triple.relation}

    def count(
        self, examples: Sequence[Sentence], max_words: int, common: Mapping[str, Any]
    ) -> TripleCounts:
        """Triples by what they are, and sentences by how many they have."""
        sizes = [len(s.triples) + len(s.unplaced) for s in examples]
        patterns = Counter(pattern for s in examples for pattern in overlap_patterns(s))
        repeated = Counter(p for s in examples for p in overlap_patterns(s, repeats=True))
        by_triples = Counter(min(size, 5) for size in sizes)
        names = {0: "0", 1: "1", 2: "2", 3: "3", 4: "4", 5: "5 or more"}
        types = Counter(kind for s in examples for kind in s.types())
        return TripleCounts(
            **common,
            triples=sum(sizes),
            relations=len({r for s in examples for r in s.relations()}),
            overlap={pattern: patterns[pattern] for pattern in PATTERNS},
            by_triples={name: by_triples[size] for size, name in names.items()},
            entities_by_type=dict(sorted(types.items())),
            triples_with_repeats=sum(sizes) + sum(len(s.repeats) for s in examples),
            overlap_with_repeats={pattern: repeated[pattern] for pattern in PATTERNS},
            unplaced=sum(len(s.unplaced) for s in examples),
            beyond=sum(len(s.words) > max_words for s in examples),
            triples_beyond=sum(len(s.triples) - len(s.cut(max_words).triples) for s in examples),
        )


def _triple(row: Sequence[Any]) -> AnyTriple:
    """The inverse of `Triples.shown`."""
    head, relation, tail, *places = row
    if not places:
        return SurfaceTriple(head, relation, tail)
    from_, to = places
    return Triple(Span(*from_), relation, Span(*to))
