"""The probability from which upwards a triple is predicted, fitted on dev.

Entities are found, so that a sentence may hold one pair of words at several places. Where the
dataset compares spans by their words, such pairs count as one, which has the highest of their
probabilities.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.bert_docred.entity_pairs import EntityVectors, Pairs
from suite.tasks.examples import Span, SurfaceTriple, Triple
from suite.tasks.reference import Reference

THRESHOLDS = torch.arange(1, 1000) / 1000
"""Those among which dev chooses."""


class ThetaFit:
    """Counts how many triples, and how many correct ones, reach each threshold.

    Args:
        reference: dev's gold and the rule by which it is matched.
        relation_ids: relation -> its column among the probabilities.
    """

    def __init__(self, reference: Reference, relation_ids: Mapping[str, int]) -> None:
        self.reference, self.relation_ids = reference, relation_ids
        self.counts = torch.zeros(2, len(THRESHOLDS) + 1, dtype=torch.long)

    def add(
        self, first: int, entities: EntityVectors, pairs: Pairs, probability: Float[Tensor, "P R"]
    ) -> None:
        """Counts the triples of some examples.

        Args:
            first: which of the reference's examples is the entities' example 0.
            entities: of whole examples.
            pairs: all of theirs.
            probability: of each relation between them.
        """
        rows, spans = (first + entities.rows).tolist(), entities.spans.tolist()
        keys = [
            self._key(rows[h], Triple(Span(*spans[h]), "", Span(*spans[t])))
            for h, t in zip(pairs.heads.tolist(), pairs.tails.tolist(), strict=True)
        ]
        numbers = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        which = torch.tensor([numbers[key] for key in keys], dtype=torch.long)
        best = torch.zeros(len(numbers), probability.shape[1])
        scores = probability.float().cpu()
        best.scatter_reduce_(0, which[:, None].expand_as(scores), scores, "amax")
        right = {
            (numbers[key], self.relation_ids[item.relation])
            for row in dict.fromkeys(rows)
            for item in cast(list[Triple | SurfaceTriple], self.reference.gold(row))
            if item.relation in self.relation_ids
            if (key := self._key(row, item._replace(relation=""))) in numbers
        }
        columns = torch.tensor(sorted(right), dtype=torch.long).view(-1, 2)
        self._count(0, best.flatten())
        self._count(1, best[columns[:, 0], columns[:, 1]])

    def _key(self, row: int, pair: Triple | SurfaceTriple) -> Hashable:
        return row, self.reference.key(row, pair)

    def _count(self, kind: int, scores: Float[Tensor, " some"]) -> None:
        reached = torch.bucketize(scores, THRESHOLDS, right=True)
        self.counts[kind] += torch.bincount(reached, minlength=len(THRESHOLDS) + 1)

    def theta(self) -> float:
        """The highest of the thresholds of best F1; a half where none predicts a correct one."""
        examples = range(len(self.reference.examples))
        gold = sum(
            len({self.reference.key(i, t) for t in self.reference.gold(i)}) for i in examples
        )
        found, correct = self.counts.flip(1).cumsum(1)[:, :-1]  # from the highest down
        f1 = 2 * correct / (found + max(1, gold))
        return float(THRESHOLDS.flip(0)[f1.argmax()]) if f1.any() else 0.5
