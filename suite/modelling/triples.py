"""From tensors to predicted triples.

Letters in shapes: T triples of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float, Int
from torch import Tensor

from suite.tasks.examples import Span, Triple
from suite.tasks.items import Prediction


def predicted_triples(
    sentences: int,
    table: Int[Tensor, "T 6"],
    scores: Float[Tensor, " T"],
    relations: Sequence[str],
) -> list[list[Prediction]]:
    """The triples of each sentence; one that stands there several times keeps its best score.

    Args:
        sentences: of the batch.
        table: sentence, relation, first and last word of the head, first and last word of the tail.
        scores: above 0.
        relations: their names.
    """
    found: list[dict[Triple, float]] = [{} for _ in range(sentences)]
    for (row, name, a, b, c, d), score in zip(table.tolist(), scores.tolist(), strict=True):
        triple = Triple(Span(a, b + 1), relations[name], Span(c, d + 1))
        found[row][triple] = max(score, found[row].get(triple, 0.0))
    return [[Prediction(t, score) for t, score in triples.items()] for triples in found]
