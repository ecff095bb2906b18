"""The rules by which two items count as the same, and the words in which an item is known again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

from suite.tasks.examples import Span, SurfaceTriple, Triple

Match = Literal["partial", "exact"]
"""The match rule. `exact`: whole spans; `partial`: their first words."""

Matching = Literal["offsets", "surface"]
"""What a span of a triple is compared by. `offsets`: its place; `surface`: its words, as CasRel and
FastRE compare, for data whose gold has no offsets."""

Wording = tuple[str, ...]
"""An item in words, by which it is found again in train."""


def in_words(words: Sequence[str], span: Span) -> str:
    """The words of a span."""
    return " ".join(words[span.start : span.end])


def surface(words: Sequence[str], triple: Triple | SurfaceTriple) -> SurfaceTriple:
    """The triple in words."""
    if isinstance(triple, SurfaceTriple):
        return triple
    head, relation, tail = triple
    return SurfaceTriple(in_words(words, head), relation, in_words(words, tail))


def triple_key(
    words: Sequence[str], triple: Triple | SurfaceTriple, matching: Matching, match: Match
) -> Hashable:
    """What two triples of a sentence have in common where they count as the same.

    Args:
        words: of the sentence.
        triple: gold or predicted.
        matching: what its spans are compared by.
        match: the rule.
    """
    if matching == "surface" or isinstance(triple, SurfaceTriple):
        head, relation, tail = surface(words, triple)
        if match == "partial":
            head, tail = head.split(" ", 1)[0], tail.split(" ", 1)[0]
        return head, relation, tail
    if match == "partial":
        return triple.head.start, triple.relation, triple.tail.start
    return triple
