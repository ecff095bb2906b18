"""Which threshold dev chooses where the same words stand at several places."""

from __future__ import annotations

import pytest
import torch

from baselines.bert_docred.entity_pairs import EntityVectors, all_pairs
from baselines.bert_docred.theta import THRESHOLDS, ThetaFit
from suite.tasks.examples import Sentence, Span, Triple
from suite.tasks.items import Prediction
from suite.tasks.matching import Matching
from tests.corpus import LIVES, WORKS, reference

TWICE = Sentence(
    "twice",
    ("Ada", "likes", "Oslo", ";", "Ada", "left", "Oslo"),
    (Triple(Span(0, 1), LIVES, Span(2, 3)),),
)
PLACES = [Span(0, 1), Span(2, 3), Span(4, 5), Span(6, 7)]
IDS = {LIVES: 0, WORKS: 1}


@pytest.mark.parametrize("matching", ["offsets", "surface"])
@pytest.mark.parametrize("seed", range(20))
def test_theta_is_where_f1_is_best_as_selection_counts(matching: Matching, seed: int) -> None:
    torch.manual_seed(seed)
    dev = reference([TWICE], matching, "partial")
    entities = EntityVectors(
        torch.zeros(4, dtype=torch.long), torch.arange(4), torch.tensor(PLACES), torch.zeros(4, 1)
    )
    pairs = all_pairs(entities.rows)
    probability = torch.rand(len(pairs.heads), len(IDS))
    fit = ThetaFit(dev, IDS)
    fit.add(0, entities, pairs, probability)

    def f1(theta: float) -> float:
        found = [
            Triple(PLACES[pairs.heads[p]], list(IDS)[r], PLACES[pairs.tails[p]])
            for p, r in (probability >= theta).nonzero().tolist()
        ]
        return dev.f1([[Prediction(triple, 0.5) for triple in found]])

    assert fit.theta() == max(THRESHOLDS.tolist(), key=lambda theta: (f1(theta), theta))


def test_by_words_the_same_pair_counts_once() -> None:
    """What is right by words at the second place is wrong by offsets."""
    assert reference([TWICE], "surface").key(0, Triple(PLACES[2], LIVES, PLACES[3])) == reference(
        [TWICE], "surface"
    ).key(0, TWICE.triples[0])
