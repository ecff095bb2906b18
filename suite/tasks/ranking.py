"""Scored facts of documents, ranked: theta, F1, Ign F1 and AUC (task `docre`).

The measures are those of DocRED's public training and evaluation code (Yao et al., ACL 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from suite.tasks.examples import Document
from suite.tasks.matching import Wording, wordings

FactScores = Float[np.ndarray, "_ _ relations"]


@dataclass(frozen=True)
class Ranking:
    """All facts that the documents of a split might hold, the most probable first.

    Attributes:
        scores: probability of each.
        correct: whether it is gold.
        in_train: whether it is gold and train has it too, by the words of a mention of each entity.
        gold: number of gold facts, those of relations that train lacks included.
    """

    scores: Float[np.ndarray, " facts"]
    correct: Bool[np.ndarray, " facts"]
    in_train: Bool[np.ndarray, " facts"]
    gold: int

    @property
    def _precision(self) -> Float[np.ndarray, " facts"]:
        precision: np.ndarray = self.correct.cumsum() / np.arange(1, len(self.correct) + 1)
        return precision

    @property
    def _precision_unseen(self) -> Float[np.ndarray, " facts"]:
        """Precision after each fact, correct facts of train left out of both its numbers."""
        in_train = self.in_train.cumsum()
        right = self.correct.cumsum() - in_train
        precision: np.ndarray = right / np.maximum(1, np.arange(1, len(right) + 1) - in_train)
        return precision

    @property
    def _recall(self) -> Float[np.ndarray, " facts"]:
        recall: np.ndarray = self.correct.cumsum() / max(1, self.gold)
        return recall

    def theta(self) -> float:
        """The probability of the fact after which F1 is best; 1 where there are no facts."""
        if not len(self.scores):
            return 1.0
        precision, recall = self._precision, self._recall
        best = int(np.argmax(2 * precision * recall / (precision + recall + 1e-20)))
        return float(self.scores[best])

    def measures(self, theta: float) -> dict[str, float]:
        """F1 and Ign F1 of the facts from theta on, and the areas under both curves.

        Ign F1's precision leaves out what is correct and in train, its recall does not: so the
        public code has it.

        Args:
            theta: fitted on dev.
        """
        found = int(np.searchsorted(-self.scores, -theta, side="right"))
        precision, unseen, recall = self._precision, self._precision_unseen, self._recall

        def f1(shares: Float[np.ndarray, " facts"]) -> float:
            if not found or not shares[found - 1] + recall[found - 1]:
                return 0.0
            p, r = shares[found - 1], recall[found - 1]
            return float(2 * p * r / (p + r))

        return {
            "theta": theta,
            "f1": f1(precision),
            "ign_f1": f1(unseen),
            "auc": float(np.trapezoid(precision, recall)),
            "ign_auc": float(np.trapezoid(unseen, recall)),
        }


def rank(
    documents: Sequence[Document],
    scores: Sequence[FactScores],
    relations: Sequence[str],
    in_train: AbstractSet[Wording],
) -> Ranking:
    """Ranks every fact between two different entities of a document; ties in the order of the file.

    Args:
        documents: with their gold facts.
        scores: for each document the probabilities of head, tail, relation.
        relations: names of the last axis.
        in_train: facts of train, in words.
    """
    ids = {name: i for i, name in enumerate(relations)}
    flat, correct, known, gold = [], [], [], 0
    for document, score in zip(documents, scores, strict=True):
        apart = ~np.eye(len(document.entities), dtype=bool)
        is_gold = np.zeros(score.shape, dtype=bool)
        is_known = np.zeros(score.shape, dtype=bool)
        facts = {(f.head, f.relation, f.tail): f for f in document.facts}
        gold += len(facts)
        for (head, relation, tail), fact in facts.items():
            if relation in ids:
                is_gold[head, tail, ids[relation]] = True
                seen = not in_train.isdisjoint(wordings(document, fact))
                is_known[head, tail, ids[relation]] = seen
        flat.append(score[apart].ravel())
        correct.append(is_gold[apart].ravel())
        known.append(is_known[apart].ravel())
    all_scores = np.concatenate(flat)
    order = np.argsort(-all_scores, kind="stable")
    return Ranking(
        all_scores[order], np.concatenate(correct)[order], np.concatenate(known)[order], gold
    )
