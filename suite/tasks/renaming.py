"""Entities of an example by their names, and the example with other names in their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from suite.tasks.examples import Sentence, Span, Triple
from suite.tasks.matching import find_words

Name = tuple[str, ...]
"""A name in words."""


class Named(NamedTuple):
    """An entity of an example.

    Attributes:
        names: that it is called by, in the order in which they first stand there.
        places: span -> the name that stands there, wherever one of them does.
        kinds: its types, or the parts that it has in relations.
    """

    names: tuple[Name, ...]
    places: Mapping[Span, Name]
    kinds: frozenset[str]


class Renamed(NamedTuple):
    """A text with other words in some places.

    Attributes:
        words: of the text.
        at: offset of a word before, or of the end -> its offset now; nothing for words that lay
            within what was replaced, after its first one.
    """

    words: tuple[str, ...]
    at: Mapping[int, int]

    def moved(self, span: Span) -> Span:
        """Where a span is now that begins and ends at no word within what was replaced."""
        return Span(self.at[span.start], self.at[span.end])


def rename(words: Sequence[str], names: Mapping[Span, Name]) -> Renamed:
    """Puts other words in place of spans, none of which shares a word with another.

    Args:
        words: of the text.
        names: span -> what takes its place.
    """
    found: list[str] = []
    at: dict[int, int] = {}
    done = 0
    for span in sorted(names):
        at |= {old: len(found) + old - done for old in range(done, span.start + 1)}
        found += [*words[done : span.start], *names[span]]
        done = span.end
    at |= {old: len(found) + old - done for old in range(done, len(words) + 1)}
    return Renamed((*found, *words[done:]), at)


def part(relation: str, side: str) -> str:
    """The kind of what is the head, or the tail, of a relation, where entities have no types."""
    return f"{relation} {side}"


def named_in(sentence: Sentence, *, by_part: bool) -> list[Named]:
    """The entities of a sentence, those of the same words as one.

    Words that stand in the sentence again, where no entity is annotated, are the entity too.

    Args:
        sentence: with its gold.
        by_part: whether kinds are parts in relations, and not types.
    """
    annotated = {entity.span for entity in sentence.entities}
    kinds: defaultdict[Name, set[str]] = defaultdict(set)
    places: defaultdict[Name, set[Span]] = defaultdict(set)
    for span in sorted(annotated):
        places[sentence.words[span.start : span.end]].add(span)
    for name, known in places.items():
        known |= {
            span
            for span in _occurrences(sentence.words, name)
            if not any(map(span.meets, annotated))
        }
    for span, kind in _kinds(sentence, by_part=by_part):
        kinds[sentence.words[span.start : span.end]].add(kind)
    return [
        Named((name,), dict.fromkeys(sorted(known), name), frozenset(kinds[name]))
        for name, known in places.items()
    ]


def _kinds(sentence: Sentence, *, by_part: bool) -> Iterator[tuple[Span, str]]:
    if not by_part:
        yield from ((entity.span, entity.type) for entity in sentence.entities)
        return
    for head, relation, tail in sentence.triples:
        yield head, part(relation, "head")
        yield tail, part(relation, "tail")


def _occurrences(words: tuple[str, ...], name: Name) -> Iterator[Span]:
    start = find_words(words, name)
    while start >= 0:
        yield Span(start, start + len(name))
        start = find_words(words, name, start + len(name))


def renamed(sentence: Sentence, names: Mapping[Span, Name]) -> Sentence:
    """A sentence whose gold has a place throughout, with other words in place of spans."""
    found = rename(sentence.words, names)

    def moved(triple: Triple) -> Triple:
        return Triple(found.moved(triple.head), triple.relation, found.moved(triple.tail))

    return replace(
        sentence,
        words=found.words,
        triples=tuple(moved(t) for t in sentence.triples),
        entities=tuple(e._replace(span=found.moved(e.span)) for e in sentence.entities),
        repeats=tuple(moved(t) for t in sentence.repeats if isinstance(t, Triple)),
    )
