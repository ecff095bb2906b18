"""Predictions as rows: what was found, where it stands in the original text, and how surely."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

from suite.extraction.inputs import Text
from suite.extraction.text import Piece, without_surrogates
from suite.tasks.examples import Document, DocumentEntity, Entity, Fact, Mention, Span, Triple
from suite.tasks.items import Prediction

Row: TypeAlias = dict[str, Any]
"""A line of the output.

Every row has `id`, `file` and `record`, and `text` where it was asked for. Of what was found,

- `triples` holds `{"head": SURFACE, "relation", "tail": SURFACE, "score"}` each,
- `entities` of a model that finds them `{**SURFACE, "score"}`,
- `facts` `{"head": {"entity", **SURFACE}, "relation", "tail": likewise, "score"}`, whose `entity`
  counts the row's `entities`: `{"text", "type", "mentions": [{"start", "end"}]}`.

A SURFACE is `{"start", "end", "text", "type"}` in characters of the original text, `end` exclusive;
a fact's is its entity's first mention. A text that failed has `error` instead.
"""

ERROR = "error"
DIGITS = 6
"""Of a score, as `predictions.jsonl` has them."""
Types: TypeAlias = Mapping[str, tuple[str | None, str | None]]
"""Relation -> types of its head and tail; None where there is none or not one alone."""


def start_of(text: Text, *, with_text: bool = False) -> Row:
    """What every row begins with."""
    row: Row = {
        "id": without_surrogates(text.id),
        "file": without_surrogates(text.file),
        "record": text.record,
    }
    return {**row, "text": without_surrogates(text.text)} if with_text else row


def failed(text: Text, cause: str) -> Row:
    """The row of a text that could not be read or answered."""
    return {**start_of(text), ERROR: without_surrogates(cause)}


def surface(text: str, piece: Piece, span: Span, kind: str | None) -> Row:
    """Where a span of a piece's words stands in the text, and what it says."""
    start, end = piece.starts[span.start], piece.ends[span.end - 1]
    return {"start": start, "end": end, "text": text[start:end], "type": kind}


def found_in(
    text: str, pieces: Iterable[tuple[Piece, Sequence[Prediction]]], types: Types
) -> Iterator[Row]:
    """What was found in the pieces of a text, in their order.

    Args:
        text: the original, without surrogates.
        pieces: each with its predictions.
        types: of relations.
    """
    for piece, predictions in pieces:
        for item, score in predictions:
            said = _SAID[type(item)](text, piece, item, types)
            yield {**said, "score": round(score, DIGITS)}


def _triple(text: str, piece: Piece, triple: Triple, types: Types) -> Row:
    head, tail = types.get(triple.relation, (None, None))
    return {
        "head": surface(text, piece, triple.head, head),
        "relation": triple.relation,
        "tail": surface(text, piece, triple.tail, tail),
    }


def _entity(text: str, piece: Piece, entity: Entity, types: Types) -> Row:
    del types
    return surface(text, piece, entity.span, entity.type)


_SAID: Mapping[type, Callable[[str, Piece, Any, Types], Row]] = {Triple: _triple, Entity: _entity}


def facts_in(text: str, document: Document, words: Piece, facts: Iterable[Prediction]) -> Row:
    """The entities and facts of a document.

    Args:
        text: the original, without surrogates.
        document: whose entities the facts name.
        words: all of the document with their places in the text.
        facts: that were found.
    """
    surfaces = [_mentioned(text, words, entity) for entity in document.entities]
    return {
        "entities": [
            {
                "text": without_surrogates(entity.name),
                "type": entity.type,
                "mentions": [{"start": one["start"], "end": one["end"]} for one in mentions],
            }
            for entity, mentions in zip(document.entities, surfaces, strict=True)
        ],
        "facts": [_fact(surfaces, fact, score) for fact, score in facts],
    }


def _mentioned(text: str, words: Piece, entity: DocumentEntity) -> list[Row]:
    return [surface(text, words, mention.span, entity.type) for mention in entity.mentions]


def _fact(surfaces: Sequence[Sequence[Row]], fact: Any, score: float) -> Row:
    named: Fact = fact
    return {
        "head": {"entity": named.head, **surfaces[named.head][0]},
        "relation": named.relation,
        "tail": {"entity": named.tail, **surfaces[named.tail][0]},
        "score": round(score, DIGITS),
    }


def make_document(
    given: Text, pieces: Sequence[Piece], found: Iterable[Iterable[Prediction]]
) -> tuple[Document, Piece]:
    """The document of a text whose entities were found in its pieces, and all its words.

    Spans of one type that read the same are mentions of one entity.

    Args:
        given: the text.
        pieces: of it, each of which counts as a sentence.
        found: the entities of each piece.
    """
    starts = [0, *accumulate(len(piece.words) for piece in pieces)]
    mentions: dict[tuple[str, str], list[Mention]] = {}
    for number, (piece, entities) in enumerate(zip(pieces, found, strict=True)):
        for entity, _ in entities:
            span = _shifted(entity, starts[number])
            name = " ".join(piece.words[span.start - starts[number] : span.end - starts[number]])
            mentions.setdefault((name, entity.type), []).append(Mention(span, number))  # type: ignore[union-attr]
    words = Piece(
        tuple(word for piece in pieces for word in piece.words),
        tuple(start for piece in pieces for start in piece.starts),
        tuple(end for piece in pieces for end in piece.ends),
    )
    clusters = [DocumentEntity(name, kind, tuple(ms)) for (name, kind), ms in mentions.items()]
    document = Document(given.id, given.id, words.words, tuple(starts[:-1]), tuple(clusters))
    return document, words


def _shifted(entity: Any, by: int) -> Span:
    span: Span = entity.span
    return Span(span.start + by, span.end + by)
