"""Scored facts of documents, ranked: theta, F1, Ign F1 and AUC (task `docre`).

The measures are those of DocRED's public training and evaluation code (Yao et al., ACL 2019).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from suite.tasks.examples import Document, DocumentEntity, Fact
from suite.tasks.matching import Wording, in_words

FactProbabilities = Float[np.ndarray, "_ _ relations"]


@dataclass(frozen=True)
class Ranking:
    """All facts that the documents of a split might hold, the most probable first.

    Attributes:
        scores: probability of each.
        correct: whether it is gold.
        in_train: whether it is gold and train has it too, by the names of a mention of each entity.
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
        """The probability of the fact after which F1 is best; 1 where no fact has any."""
        possible = int(np.count_nonzero(self.scores))
        if not possible:
            return 1.0
        # What has no probability is never predicted, though all of it might hit a few.
        precision, recall = self._precision[:possible], self._recall[:possible]
        best = int(np.argmax(2 * precision * recall / (precision + recall + 1e-20)))
        return float(self.scores[best])

    def f1(self, theta: float) -> float:
        """F1 of the facts from theta upwards.

        Args:
            theta: fitted on dev.
        """
        return self._f1(self._precision, theta)

    def ign_f1(self, theta: float) -> float:
        """As `f1`, facts of train left out of precision.

        Ign F1's precision leaves out what is correct and in train, its recall does not: so the
        public code has it.
        """
        return self._f1(self._precision_unseen, theta)

    @property
    def auc(self) -> float:
        """The area under precision over recall."""
        return float(np.trapezoid(self._precision, self._recall))

    @property
    def ign_auc(self) -> float:
        """The area under the precision of Ign F1 over recall."""
        return float(np.trapezoid(self._precision_unseen, self._recall))

    def _f1(self, precision: Float[np.ndarray, " facts"], theta: float) -> float:
        found = int(np.searchsorted(-self.scores, -theta, side="right"))
        recall = self._recall
        if not found or not precision[found - 1] + recall[found - 1]:
            return 0.0
        p, r = precision[found - 1], recall[found - 1]
        return float(2 * p * r / (p + r))


def rank(
    documents: Sequence[Document],
    scores: Sequence[FactProbabilities],
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
                seen = not in_train.isdisjoint(fact_wordings(document, fact))
                is_known[head, tail, ids[relation]] = seen
        flat.append(score[apart].ravel())
        correct.append(is_gold[apart].ravel())
        known.append(is_known[apart].ravel())
    all_scores = np.concatenate(flat)
    order = np.argsort(-all_scores, kind="stable")
    return Ranking(
        all_scores[order], np.concatenate(correct)[order], np.concatenate(known)[order], gold
    )


def rank_predicted(
    documents: Sequence[Document],
    predicted: Sequence[AbstractSet[Hashable]],
    in_train: AbstractSet[Wording],
) -> Ranking:
    """What is predicted alone, all of it equally probable: F1 and Ign F1 at 1 are as in `rank`.

    Args:
        documents: with their gold facts.
        predicted: for each document head, relation and tail of its facts.
        in_train: facts of train, in words.
    """
    correct, known, gold = [], [], 0
    for document, found in zip(documents, predicted, strict=True):
        facts = {(f.head, f.relation, f.tail): f for f in document.facts}
        gold += len(facts)
        for key in found:
            fact = facts.get(key)  # type: ignore[call-overload]
            correct.append(fact is not None)
            known.append(
                fact is not None and not in_train.isdisjoint(fact_wordings(document, fact))
            )
    scores = np.ones(len(correct))
    return Ranking(scores, np.array(correct, dtype=bool), np.array(known, dtype=bool), gold)


def fact_wordings(document: Document, fact: Fact) -> set[Wording]:
    """A fact in words, as DocRED's public code has it: by the names of any of its mentions."""
    heads, tails = (names_of(document, document.entities[i]) for i in (fact.head, fact.tail))
    return {(head, fact.relation, tail) for head in heads for tail in tails}


def names_of(document: Document, entity: DocumentEntity) -> set[str]:
    """What the mentions of an entity are called."""
    return {mention.name or in_words(document.words, mention.span) for mention in entity.mentions}
