"""Items as the lines of `predictions.jsonl` hold them, read back without their example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from suite.tasks.examples import Span


class ShownEnd(NamedTuple):
    """A head, a tail or an entity.

    Attributes:
        words: of it.
        place: its span, or the index of a given entity; None where the words have no place.
    """

    words: str
    place: Span | int | None = None


class ShownItem(NamedTuple):
    """An item, gold or predicted.

    Attributes:
        label: relation or entity type.
        ends: head and tail, or the one span of an entity; either all or none have a place.
    """

    label: str
    ends: tuple[ShownEnd, ...]

    @property
    def placed(self) -> bool:
        """Whether its words have a place in the text."""
        return all(end.place is not None for end in self.ends)

    @property
    def spans(self) -> list[Span]:
        """The places of its ends in words; none where it names given entities."""
        return [end.place for end in self.ends if isinstance(end.place, Span)]


def read_shown(row: Sequence[Any]) -> ShownItem:
    """The item that `Task.shown` wrote as a row; a predicted one's score stands no more in it.

    Raises:
        ValueError: the row is none that a task writes.
    """
    match row:
        case [str(head), str(label), str(tail), [int(a), int(b)], [int(c), int(d)]]:
            ends = ShownEnd(head, Span(a, b)), ShownEnd(tail, Span(c, d))
        case [str(head), str(label), str(tail), int(first), int(second)]:
            ends = ShownEnd(head, first), ShownEnd(tail, second)
        case [str(head), str(label), str(tail)]:
            ends = ShownEnd(head), ShownEnd(tail)
        case [str(words), str(label), [int(a), int(b)]]:
            return ShownItem(label, (ShownEnd(words, Span(a, b)),))
        case [str(words), str(label)]:
            return ShownItem(label, (ShownEnd(words),))
        case _:
            raise ValueError(f"{ascii(list(row))[:100]} is not an item as the suite writes it")
    return ShownItem(label, ends)
