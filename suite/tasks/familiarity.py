"""What a training set knew of an item: the item itself, its entities together, or less."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from suite.tasks.matching import Wording

PAIR, BOTH, ONE, NEITHER = "pair of entities", "both entities", "one entity", "neither entity"

Pair = tuple[str, str]
"""Two entities in words, in the order of the alphabet: which of them is the head is left open."""


@dataclass(frozen=True)
class Known:
    """What a training set holds, in words.

    Attributes:
        items: its gold items.
        pairs: the entities that an item of it relates, two at a time; empty for entities.
        entities: names of its entities, those in no relation included.
    """

    items: frozenset[Wording]
    pairs: frozenset[Pair]
    entities: frozenset[str]


def pairs_of(heads: Iterable[str], tails: Iterable[str]) -> set[Pair]:
    """The pairs of two entities, each by all its names."""
    ends = list(tails)
    return {(head, tail) if head <= tail else (tail, head) for head in heads for tail in ends}


def familiarity(heads: set[str], relation: str, tails: set[str], known: Known, itself: str) -> str:
    """What train knew of a relation between two entities; the best that holds.

    Args:
        heads: names of the head.
        relation: between them.
        tails: names of the tail.
        known: of train.
        itself: what is said where train has the very item.

    Returns:
        `itself`; `PAIR`: train relates the two, by another relation or in the other direction;
        `BOTH`: train has both, and relates them nowhere; `ONE`; `NEITHER`.
    """
    if not known.items.isdisjoint((head, relation, tail) for head in heads for tail in tails):
        return itself
    if not known.pairs.isdisjoint(pairs_of(heads, tails)):
        return PAIR
    return (NEITHER, ONE, BOTH)[sum(not known.entities.isdisjoint(end) for end in (heads, tails))]
