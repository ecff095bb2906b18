"""Scores of pairs, their loss and its gradient, against a slow re-statement."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from baselines.pmei.pair_classifier import PairClassifier
from suite.modelling.word_tables import table_blocks
from tests.cuts import AT_ONCE, LENGTHS

GOLD = [(14, 12, 0), (2, 4, 0), (15, 12, 0), (5, 6, 0), (2, 4, 1), (4, 2, 1), (11, 15, 2)]
"""Head, tail and relation, in no order: in both directions, two of a pair, two heads of a tail."""


def make(relations: int = 3) -> tuple[PairClassifier, Tensor]:
    """In double precision, with scores of all signs."""
    torch.manual_seed(0)
    classifier = PairClassifier(4, 6, relations).double()
    torch.nn.init.normal_(classifier.scores.bias)
    x = torch.randn(sum(LENGTHS), 4, dtype=torch.float64, requires_grad=True)
    return classifier, x


def score(classifier: PairClassifier, x: Tensor, head: int, tail: int) -> Tensor:
    """Equation 11 for one pair: W_m stands on the concatenation of both words."""
    of_heads, of_tails = classifier.project.weight.chunk(2)
    w_m = torch.cat([of_heads, of_tails], 1)
    hidden = (w_m @ torch.cat([x[head], x[tail]])).relu()
    return classifier.scores.weight @ hidden + classifier.scores.bias


def pairs() -> list[tuple[int, int]]:
    """Head and tail of all pairs of words of one sentence."""
    found, start = [], 0
    for length in LENGTHS:
        words = range(start, start + length)
        found += [(i, j) for i in words for j in words if i != j]
        start += length
    return found


def slow_loss(classifier: PairClassifier, x: Tensor) -> tuple[Tensor, Tensor]:
    total = torch.zeros((), dtype=x.dtype)
    pooled: list[list[Tensor]] = [[torch.zeros(3, dtype=x.dtype)] for _ in x]
    for head, tail in pairs():
        p = score(classifier, x, head, tail).sigmoid()
        for relation in range(3):
            right = p[relation] if (head, tail, relation) in GOLD else 1 - p[relation]
            total = total - right.log()
        pooled[head].append(p)
    return total, torch.stack([torch.stack(p).amax(0) for p in pooled])


@pytest.mark.parametrize("at_once", AT_ONCE)
def test_loss_and_pooled_probabilities(at_once: int) -> None:
    classifier, x = make()
    loss, pooled = classifier.loss(x, table_blocks(LENGTHS, at_once), torch.tensor(GOLD))
    expected, tops = slow_loss(classifier, x)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(pooled, tops)


@pytest.mark.parametrize("used", ["loss", "pooled", "both"])
@pytest.mark.parametrize("at_once", AT_ONCE)
def test_gradient_is_that_of_autograd(at_once: int, used: str) -> None:
    classifier, x = make()
    weights = torch.randn(len(x), 3, dtype=x.dtype)
    inputs = [x, *classifier.parameters()]

    def gradients(loss: Tensor, pooled: Tensor) -> tuple[Tensor, ...]:
        through = (pooled * weights).sum()
        total = {"loss": 0.3 * loss, "pooled": through, "both": 0.3 * loss + through}[used]
        return torch.autograd.grad(total, inputs)

    quick = classifier.loss(x, table_blocks(LENGTHS, at_once), torch.tensor(GOLD))
    torch.testing.assert_close(gradients(*quick), gradients(*slow_loss(classifier, x)))


@pytest.mark.parametrize("at_once", AT_ONCE)
def test_what_is_found_and_pooled_without_gold(at_once: int) -> None:
    classifier, x = make()
    blocks = table_blocks(LENGTHS, at_once)
    with torch.no_grad():
        found, probabilities = classifier.find(x, blocks, 0.6)
        expected = {
            (head, tail, relation): p.item()
            for head, tail in pairs()
            for relation, p in enumerate(score(classifier, x, head, tail).sigmoid())
            if p > 0.6
        }
        assert 10 < len(expected) < 3 * len(pairs())
        keys = [tuple(row) for row in found.tolist()]
        assert dict(zip(keys, probabilities.tolist(), strict=True)) == pytest.approx(expected)
        assert len(keys) == len(expected), "each is found once"
        tops = slow_loss(classifier, x)[1]
        torch.testing.assert_close(classifier.pool(x, blocks).double(), tops)


def test_no_gold_and_no_pair() -> None:
    classifier, x = make()
    nothing = torch.empty(0, 3, dtype=torch.long)
    loss, pooled = classifier.loss(x[:2], table_blocks([1, 1], 9), nothing)
    assert loss.item() == 0
    assert not pooled.any()
    assert not len(classifier.find(x[:2], table_blocks([1, 1], 9), 0.5)[0])


def test_scores_beyond_all_measure_leave_the_loss_finite() -> None:
    """A wrong score of 40 costs 40, though 1 minus its probability is 0 in single precision."""
    classifier = PairClassifier(4, 6, 1)
    blocks = table_blocks([3], 9)
    for score_of_all, gold, cost in ((40.0, [], 240.0), (-40.0, [(0, 1, 0)], 40.0)):
        torch.nn.init.zeros_(classifier.scores.weight)
        torch.nn.init.constant_(classifier.scores.bias, score_of_all)
        targets = torch.tensor(gold, dtype=torch.long).view(-1, 3)
        loss, _ = classifier.loss(torch.randn(3, 4), blocks, targets)
        assert loss.item() == pytest.approx(cost)
    torch.nn.init.constant_(classifier.scores.bias, 1e4)
    loss, _ = classifier.loss(torch.randn(3, 4), blocks, torch.empty(0, 3, dtype=torch.long))
    assert torch.isfinite(loss)
