"""Entities from one tag per word, under every scheme that is in use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from suite.errors import SuiteError
from suite.tasks.examples import Entity, Span

_PREFIXED = re.compile(r"(?P<place>[BIOESMLUW])[-_](?P<kind>.+)", re.IGNORECASE)
OUTSIDE = frozenset({"O", "o", "_"})
_AS_BIO = {"B": "B", "I": "I", "M": "I", "E": "I", "L": "I", "S": "B", "U": "B", "W": "B", "O": "I"}
_CLOSES = frozenset("ELSUW")


@dataclass(frozen=True)
class Scheme:
    """How tags name a type.

    Attributes:
        prefixed: by a letter for the place in the entity, a dash or underscore, and the type; else
            the tag is the type, and neighbours of one type are one entity.
    """

    prefixed: bool

    @classmethod
    def of(cls, tags: Iterable[str]) -> Scheme:
        """The scheme of all tags of a file."""
        named = {tag for tag in tags if tag not in OUTSIDE}
        return cls(not named or any(_PREFIXED.fullmatch(tag) for tag in named))

    def reads(self, tag: str) -> bool:
        """Whether the scheme has such a tag."""
        if tag in OUTSIDE:
            return True
        return _PREFIXED.fullmatch(tag) is not None or not self.prefixed


def kind_of(tag: str) -> str | None:
    """The type that a tag names; None outside of entities."""
    if tag in OUTSIDE:
        return None
    found = _PREFIXED.fullmatch(tag)
    return found["kind"] if found else tag


def decode(tags: Sequence[str], scheme: Scheme, where: object) -> tuple[Entity, ...]:
    """The entities of a tag sequence, under IOB1, BIO (IOB2), BIOES, BILOU, BMES and plain types.

    An entity begins at every `B`, `S` and `U`, and at an `I` that follows `O`, another type or the
    end of an entity: in IOB1 that is the usual beginning, and BIO never writes it (Tjong Kim Sang
    and Veenstra, 1999).

    Args:
        tags: one for each word.
        scheme: of the file.
        where: the sentence stands, for errors.

    Raises:
        SuiteError: a tag is not of the scheme.
    """
    entities: list[Entity] = []
    start, current = 0, ""
    for position, tag in enumerate([*tags, "O"]):
        place, kind, closes = _parts(tag, scheme, where)
        if current and (place != "I" or kind != current):
            entities.append(Entity(Span(start, position), current))
            current = ""
        if kind and not current:
            start, current = position, kind
        if current and closes:
            entities.append(Entity(Span(start, position + 1), current))
            current = ""
    return tuple(entities)


def _parts(tag: str, scheme: Scheme, where: object) -> tuple[str, str, bool]:
    """`B`, `I` or `O`; the type; whether the entity ends with this word."""
    if tag in OUTSIDE:
        return "O", "", False
    found = _PREFIXED.fullmatch(tag)
    if found is None and scheme.prefixed:
        raise SuiteError(
            f"the tag {tag!r} is neither O, B-TYPE nor I-TYPE (nor of BIOES, BILOU or BMES)",
            where=where,
            remedy="Convert the file to IOB1, BIO, BIOES or BMES.",
        )
    if found is None:
        return "I", tag, False
    place = found["place"].upper()
    return _AS_BIO[place], found["kind"], place in _CLOSES
