"""Typed spans: gold as packed and as dense targets, and decoding by score.

Letters in shapes: B sentences, N words, T types, C candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from suite.modelling.batch import Batch
from suite.modelling.encoders import SubwordText
from suite.modelling.ragged import Ragged
from suite.tasks.examples import Entity, Sentence, Span
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema

THRESHOLD = 0.5
"""Probability above which a typed span is a candidate."""


class Candidates(NamedTuple):
    """Typed spans that may be predicted.

    Attributes:
        cells: row, first word, last word and type of each.
        scores: their probabilities.
    """

    cells: Int[Tensor, "C 4"]
    scores: Float[Tensor, " C"]


@dataclass(frozen=True)
class SpanBatch(Batch):
    """Sentences with their gold entities.

    Attributes:
        entities: first word, last word and type of each.
    """

    text: SubwordText
    entities: Ragged


def encode_entities(sentences: Sequence[Sentence], schema: Schema) -> Ragged:
    """First word, last word and type of the entities whose type train has."""
    ids = schema.type_ids
    rows = [
        [(e.span.start, e.span.end - 1, ids[e.type]) for e in s.entities if e.type in ids]
        for s in sentences
    ]
    return Ragged.from_rows(rows, 3)


def dense_entities(batch: SpanBatch, types: int) -> Bool[Tensor, "B N N T"]:
    """True at the first and last word and the type of every gold entity."""
    entities = batch.entities
    words = int(batch.lengths.max())
    shape = (len(batch), words, words, types)
    tags = torch.zeros(shape, dtype=torch.bool, device=entities.values.device)
    tags[entities.owners, *entities.values.unbind(1)] = True
    return tags


def candidates_of(rows: Int[Tensor, " B"], probability: Float[Tensor, "B N N T"]) -> Candidates:
    """What stands above the threshold.

    Args:
        rows: as the candidates are to name the sentences.
        probability: by first word, last word and type.
    """
    cells = (probability > THRESHOLD).nonzero()
    scores = probability[tuple(cells.unbind(1))]
    return Candidates(torch.cat([rows[cells[:, :1]], cells[:, 1:]], 1), scores)


def decode_entities(
    count: int, words: int, candidates: Candidates, names: Sequence[str], *, nested: bool
) -> list[list[Prediction]]:
    """Takes candidates by falling score, without those that clash with one taken before.

    Flat spans clash where they share a word; nested ones where they cross, that is, share a word
    and neither lies within the other (Yu et al., ACL 2020, section 3). A nested span may have
    several types.

    Args:
        count: rows.
        words: of the longest row.
        candidates: in any order; of equal scores the earlier one goes first.
        names: of the types.
        nested: which of the two it is.
    """
    order = torch.argsort(candidates.scores, descending=True, stable=True)
    cells, scores = candidates.cells[order].tolist(), candidates.scores[order].tolist()
    taken = [(_Nested if nested else _Flat)(words) for _ in range(count)]
    found: list[list[Prediction]] = [[] for _ in range(count)]
    for (row, first, last, kind), score in zip(cells, scores, strict=True):
        if taken[row].admit(first, last):
            found[row].append(Prediction(Entity(Span(first, last + 1), names[kind]), score))
    return found


class _Flat:
    """Which words of a sentence are taken."""

    def __init__(self, words: int) -> None:
        self.taken = bytearray(words)

    def admit(self, first: int, last: int) -> bool:
        """Takes the span's words if all are free."""
        if any(self.taken[first : last + 1]):
            return False
        self.taken[first : last + 1] = b"\x01" * (last + 1 - first)
        return True


class _Nested:
    """How far the spans that were taken reach from their first words, and from their last."""

    def __init__(self, words: int) -> None:
        self.last_from = list(range(words))
        self.first_to = list(range(words))

    def admit(self, first: int, last: int) -> bool:
        """Takes the span if it crosses none."""
        out = max(self.last_from[first + 1 : last + 1], default=last) > last
        if out or min(self.first_to[first:last], default=first) < first:
            return False
        self.last_from[first] = max(self.last_from[first], last)
        self.first_to[last] = min(self.first_to[last], first)
        return True
