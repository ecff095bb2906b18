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


def find_words(words: Sequence[str], parts: Sequence[str], start: int = 0) -> int:
    """Index of the first word of the first occurrence of `parts` at or after `start`, or -1."""
    size = len(parts)
    wanted = tuple(parts)
    last = len(words) - size
    while start <= last:
        try:
            start = words.index(wanted[0], start, last + 1)
        except ValueError:
            return -1
        if size == 1 or tuple(words[start : start + size]) == wanted:
            return start
        start += 1
    return -1


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
