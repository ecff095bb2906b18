"""Finding surface strings among the words of a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from suite.datasets.reading import Reading
from suite.errors import SuiteError
from suite.tasks.examples import Entity, Sentence, Span, SurfaceTriple, Triple
from suite.tasks.matching import find_words
from suite.tasks.schema import ANY


class Mentioned(NamedTuple):
    """A triple as a file without offsets names it; a type is None where the file names none."""

    head: str
    relation: str
    tail: str
    head_type: str | None = None
    tail_type: str | None = None


class Record(NamedTuple):
    """Where a sentence stands, for its id and for messages.

    Attributes:
        id: of the example.
        where: the file.
        place: the record within it (`record 12`, `line 7`).
    """

    id: str
    where: object
    place: str

    def error(self, cause: str, remedy: str | None = None) -> SuiteError:
        """The error for a mistake in this record."""
        return SuiteError(cause, where=f"{self.where}, {self.place}", remedy=remedy)


def split_words(text: str, record: Record, reading: Reading) -> tuple[str, ...]:
    """The words of a text.

    Raises:
        SuiteError: there are none.
    """
    words = tuple(reading.split_text(text))
    if not words:
        raise record.error("the text has no words", "Delete the record or give its text.")
    return words


def align(
    words: tuple[str, ...],
    triples: Iterable[Mentioned],
    record: Record,
    reading: Reading,
) -> Sentence:
    """The sentence with each head and tail placed at its first occurrence among the words.

    The first occurrence is what the public code of CasRel (`find_head_idx`) and FastRE (`find`)
    takes. A triple whose head or tail does not occur goes to `Sentence.unplaced`.

    Args:
        words: of the sentence, at least one.
        triples: as the file names them.
        record: where the sentence stands.
        reading: knows the entity types of relations, for what the file does not type (what neither
            knows is of the type `ANY`), and counts what is not found, ambiguous or repeated.

    Raises:
        SuiteError: a head or tail without words.
    """
    found: dict[str, tuple[Span | None, bool]] = {}
    problems = reading.problems

    def place(surface: str) -> Span | None:
        if surface not in found:
            found[surface] = _first(words, reading.split_text(surface), record)
        span, ambiguous = found[surface]
        if span is None:
            problems.add("not_found", record.place, f"{surface!r} is not among the words")
        elif ambiguous:
            problems.add("ambiguous", record.place, f"{surface!r} occurs more than once")
        return span

    placed: dict[Triple, None] = {}
    unplaced: dict[SurfaceTriple, None] = {}
    entities: dict[Entity, None] = {}
    repeats: list[Triple | SurfaceTriple] = []
    for mentioned in triples:
        head, tail = place(mentioned.head), place(mentioned.tail)
        default = reading.types.get(mentioned.relation, (ANY, ANY))
        for span, given, mapped in (
            (head, mentioned.head_type, default[0]),
            (tail, mentioned.tail_type, default[1]),
        ):
            if span is not None:
                entities[Entity(span, given or mapped)] = None
        item: Triple | SurfaceTriple
        if head is None or tail is None:
            item = SurfaceTriple(
                " ".join(reading.split_text(mentioned.head)),
                mentioned.relation,
                " ".join(reading.split_text(mentioned.tail)),
            )
            repeated = item in unplaced
            unplaced[item] = None
        else:
            item = Triple(head, mentioned.relation, tail)
            repeated = item in placed
            placed[item] = None
        if repeated:
            repeats.append(item)
            problems.add("duplicates", record.place, " ; ".join(mentioned[:3]))
    return Sentence(
        record.id, words, tuple(placed), tuple(sorted(entities)), tuple(unplaced), tuple(repeats)
    )


def _first(
    words: tuple[str, ...], parts: Sequence[str], record: Record
) -> tuple[Span | None, bool]:
    """The first occurrence, and whether there is another."""
    if not parts:
        raise record.error("a triple has an empty head or tail", "Name or delete it.")
    start = find_words(words, parts)
    if start < 0:
        return None, False
    return Span(start, start + len(parts)), find_words(words, parts, start + 1) >= 0


def checked_span(start: int, end: int, words: int, field: str, record: Record) -> Span:
    """A span that a file names, its end exclusive.

    Raises:
        SuiteError: it is empty, reversed, or not within the words.
    """
    if not 0 <= start < end <= words:
        how = "is empty" if start == end else "is reversed" if end < start else ""
        raise record.error(
            f"{field}: the span from {start} to {end} {how or f'lies outside the {words} tokens'}",
            "Positions count words from 0.",
        )
    return Span(start, end)


def placed(
    words: tuple[str, ...],
    entities: Iterable[Entity],
    triples: Iterable[Triple],
    record: Record,
    reading: Reading,
) -> Sentence:
    """The sentence of a file that places its spans itself; what repeats is counted.

    Args:
        words: at least one.
        entities: as the file names them.
        triples: likewise.
        record: where the sentence stands.
        reading: counts what is repeated.

    Raises:
        SuiteError: there are no words, or one is empty.
    """
    if not words:
        raise record.error("the text has no words", "Delete the record or give its tokens.")
    if not all(words):
        raise record.error(f"tokens.{words.index('')}: is empty", "Delete the token.")
    found, named = list(triples), list(entities)
    distinct = dict.fromkeys(found)
    repeats = [triple for i, triple in enumerate(found) if triple in found[:i]]
    for _ in range(len(repeats) + len(named) - len(set(named))):
        reading.problems.add("duplicates", record.place, "an entity or relation repeats")
    return Sentence(
        record.id, words, tuple(distinct), tuple(sorted(set(named))), (), tuple(repeats)
    )
