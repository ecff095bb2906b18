"""What a system that was not trained here says of an example, and where its words are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from suite.tasks.examples import Span
from suite.tasks.matching import find_words, in_words

End: TypeAlias = str | Span | int
"""A head, tail or entity: by its words, by its place, or by the index of a given entity."""


class Claim(NamedTuple):
    """One item as a file names it.

    Attributes:
        label: relation or entity type.
        ends: head and tail of a triple or fact; the one span of an entity.
        score: its confidence; 1 where the file names none.
    """

    label: str
    ends: tuple[End, ...]
    score: float = 1.0


class WrongClaimError(ValueError):
    """What is wrong with a claim, as a phrase."""


def ends_of(claim: Claim, count: int, items: str) -> tuple[End, ...]:
    """The ends of a claim.

    Args:
        claim: of a file.
        count: how many ends an item of the task has.
        items: of the task, as a plural.

    Raises:
        WrongClaimError: it has another number of ends.
    """
    if len(claim.ends) != count:
        said = "one span" if len(claim.ends) == 1 else "head and tail"
        raise WrongClaimError(f"names {said}, and the task is about {items}")
    return claim.ends


def place(words: Sequence[str], end: End, occurrence: int = 0) -> Span | None:
    """The span of an end; None where its words do not occur.

    Words are looked for as they stand between white space, and where they are not found so, letter
    by letter: "Rome," is found in the words "Rome" and ",".

    Args:
        words: of the example.
        end: by its words or by its place.
        occurrence: which one, from 0, of words that occur several times; the last where there are
            fewer.

    Raises:
        WrongClaimError: the place lies outside the words, or there is none.
    """
    if isinstance(end, Span):
        if not 0 <= end.start < end.end <= len(words):
            raise WrongClaimError(
                f"the span from {end.start} to {end.end} is empty, reversed or outside the "
                f"{len(words)} words"
            )
        return end
    if isinstance(end, int):
        raise WrongClaimError(f"{end} is an index of a given entity, and this task gives none")
    found = occurrences(words, end)
    return found[min(occurrence, len(found) - 1)] if found else None


def occurrences(words: Sequence[str], said: str) -> list[Span]:
    """Every place of some words, in their order; none where there are no words."""
    parts = said.split()
    if not parts:
        return []
    found, start = [], find_words(words, parts)
    while start >= 0:
        found.append(Span(start, start + len(parts)))
        start = find_words(words, parts, start + 1)
    return found or _by_letters(words, "".join(parts))


def _by_letters(words: Sequence[str], letters: str) -> list[Span]:
    """The places at which whole words have these letters, white space apart."""
    starts = dict(zip(accumulate(map(len, words), initial=0), range(len(words) + 1), strict=True))
    text = "".join(words)
    found, at = [], text.find(letters)
    while at >= 0:
        first, last = starts.get(at), starts.get(at + len(letters))
        if first is not None and last is not None:
            found.append(Span(first, last))
        at = text.find(letters, at + 1)
    return found


def said(words: Sequence[str], end: End, span: Span | None) -> str:
    """An end in words, of the example where it has a place there."""
    return in_words(words, span) if span is not None else " ".join(str(end).split())
