"""Items as JSON writes them: as lists or as objects, by words, by places or by indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.tasks.claims import Claim, End, WrongClaimError
from suite.tasks.examples import Span

TRIPLE_FIELDS = (
    ("head", "relation", "tail"),
    ("subject", "predicate", "object"),
    ("subject", "relation", "object"),
)
ENTITY_FIELDS = (("text", "type"), ("span", "type"), ("text", "label"), ("span", "label"))
TRIPLES = (
    'As in ["Ada", "lives_in", "Rome"], or an object with head, relation, tail or subject, '
    "predicate, object."
)
ENTITIES = 'As in ["Rome", "LOC"], [[3, 4], "LOC"], or an object with text or span, and type.'


def read_triples(raw: Sequence[Any], field: str, file: TextFile, record: str) -> list[Claim]:
    """The triples or facts of a record.

    Args:
        raw: as JSON holds them.
        field: that holds them, for messages.
        file: likewise.
        record: likewise.

    Raises:
        SuiteError: one of them is none.
    """
    return [_claim(one, TRIPLE_FIELDS, f"{field}.{i}", file, record) for i, one in enumerate(raw)]


def read_entities(raw: Sequence[Any], field: str, file: TextFile, record: str) -> list[Claim]:
    """The entities of a record; see `read_triples`."""
    return [_claim(one, ENTITY_FIELDS, f"{field}.{i}", file, record) for i, one in enumerate(raw)]


def _claim(
    raw: Any, shapes: Sequence[tuple[str, ...]], field: str, file: TextFile, record: str
) -> Claim:
    try:
        *parts, score = _parts(raw, shapes)
        if shapes is TRIPLE_FIELDS:
            head, label, tail = parts
            return Claim(_label(label), (_end(head), _end(tail)), _score(score))
        span, label = parts
        return Claim(_label(label), (_end(span),), _score(score))
    except WrongClaimError as error:
        raise SuiteError(
            f"{field}: {error}",
            where=f"{file.path}, {record}",
            remedy=TRIPLES if shapes is TRIPLE_FIELDS else ENTITIES,
        ) from error


def _parts(raw: Any, shapes: Sequence[tuple[str, ...]]) -> list[Any]:
    """The parts of an item in order, and its score."""
    size = len(shapes[0])
    if isinstance(raw, list) and len(raw) in {size, size + 1}:
        return [*raw, 1.0][: size + 1]
    if isinstance(raw, Mapping):
        for names in shapes:
            if raw.keys() >= set(names):
                return [*(raw[name] for name in names), raw.get("score", 1.0)]
    raise WrongClaimError(
        f"{_short(raw)} is neither a list of {size} nor an object of known fields"
    )


def _label(raw: Any) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise WrongClaimError(f"{_short(raw)} is not the name of a relation or type")
    return raw


def _end(raw: Any) -> End:
    if isinstance(raw, str) and raw.strip():
        return raw
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, list) and len(raw) == 2 and all(type(number) is int for number in raw):
        return Span(*raw)
    raise WrongClaimError(
        f"{_short(raw)} is neither words nor a place of two numbers, from a word up to another"
    )


def _score(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= 1:
        raise WrongClaimError(f"the score {_short(raw)} is not a number from 0 to 1")
    return float(raw)


def _short(raw: Any) -> str:
    return ascii(raw)[:100]
