"""Dropout's rate and scale, and thresholds against a slow re-statement."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.fastre.thresholds import above_threshold, adaptive_threshold_loss, confidence
from suite.modelling.layers import (
    Dropout,
    SelfAttention,
    attention,
    heads_that_share,
    word_mask,
    words_at,
)

SCORES = st.floats(-8, 8, width=32)


@pytest.mark.parametrize("rate", [0.04, 0.1, 0.25, 0.5])
def test_dropout_keeps_rate_and_mean(rate: float) -> None:
    torch.manual_seed(0)
    layer = Dropout(rate).train()
    x = torch.ones(1_000_003)  # no multiple of what is drawn at once
    y = layer(x)
    assert float((y == 0).float().mean()) == pytest.approx(rate, abs=2e-3)
    assert y.unique().tolist() == pytest.approx([0, 1 / (1 - rate)])
    neighbours = (y[:-1] == 0) & (y[1:] == 0)
    assert float(neighbours.float().mean()) == pytest.approx(rate**2, abs=2e-3), "draws are apart"


def test_dropout_follows_the_seed_and_rests_in_evaluation() -> None:
    layer, x = Dropout(0.3), torch.randn(5, 7)
    torch.manual_seed(4)
    first = layer(x)
    torch.manual_seed(4)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(Dropout(0.0).train()(x), x)


def test_dropout_has_a_gradient_where_it_keeps() -> None:
    x = torch.ones(64, requires_grad=True)
    y = Dropout(0.5).train()(x)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_attention_does_not_look_at_padding() -> None:
    torch.manual_seed(0)
    layer = SelfAttention(8, 2)
    x = torch.randn(1, 5, 8)
    longer = torch.cat([x, torch.randn(1, 3, 8)], 1)
    mask = word_mask(torch.tensor([5]), 8)
    torch.testing.assert_close(layer(longer, mask)[:, :5], layer(x, None))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_attention_is_its_equation(dtype: torch.dtype, rate: float) -> None:
    """With unit vectors as values the outputs are the weights themselves."""
    torch.manual_seed(0)
    query, key = torch.randn(2, 3, 2, 40, 8, dtype=dtype).unbind(0)
    value = torch.eye(40, dtype=dtype).expand(3, 2, 40, 40)
    allowed = word_mask(torch.tensor([40, 30, 20]), 40)[:, None, None, :]
    scores = query.float() @ key.float().transpose(2, 3) / math.sqrt(8)
    expected = scores.masked_fill(~allowed, -math.inf).softmax(3)
    weights = attention(query.requires_grad_(), key, value, allowed, rate).float()
    kept = weights > 0
    near = {"rtol": 2e-2, "atol": 1e-3} if dtype == torch.bfloat16 else {}
    expected = torch.where(kept, expected / (1 - rate), 0)
    torch.testing.assert_close(weights, expected, **near)
    dropped = 1 - float(kept[allowed.expand_as(kept)].float().mean())
    assert dropped == pytest.approx(rate, abs=0.02)


def test_no_mask_where_nothing_is_padded() -> None:
    assert word_mask(torch.tensor([4, 4]), 4) is None


@given(
    st.lists(SCORES, min_size=3, max_size=6),
    st.sets(st.integers(0, 4)),
    st.sets(st.integers(0, 4)),
)
def test_loss_of_a_position(scores: list[float], positive: set[int], scored: set[int]) -> None:
    """Equation 11, term by term; positives are always in play."""
    classes = range(len(scores) - 1)
    positive = {p for p in positive if p in classes}
    scored = {s for s in scored if s in classes} | positive
    at = math.exp(scores[-1])
    mass = sum(math.exp(scores[p]) for p in positive) + at
    expected = -sum(math.log(math.exp(scores[p]) / mass) for p in positive)
    expected -= math.log(at / (sum(math.exp(scores[n]) for n in scored - positive) + at))
    loss = adaptive_threshold_loss(
        torch.tensor([scores]),
        torch.tensor([[c in positive for c in classes]]),
        torch.tensor([[c in scored for c in classes]]),
    )
    assert float(loss) == pytest.approx(expected, rel=1e-4, abs=1e-4)


@given(st.lists(SCORES, min_size=2, max_size=6))
def test_tags_are_what_is_more_likely_than_the_threshold(scores: list[float]) -> None:
    row = torch.tensor(scores)
    for tagged, p in zip(above_threshold(row).tolist(), confidence(row).tolist(), strict=True):
        assert tagged == (p > 0.5) or abs(p - 0.5) < 1e-6


def test_words_are_taken_from_their_places_and_get_their_gradients() -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 5, 4, requires_grad=True)
    rows, words = torch.tensor([2, 0, 2, 2]), torch.tensor([4, 1, 4, 0])
    taken = words_at(x, rows, words)
    assert torch.equal(taken, x[rows, words])
    weight = torch.randn(4, 4)
    (ours,) = torch.autograd.grad((taken * weight).sum(), x)
    (theirs,) = torch.autograd.grad((x[rows, words] * weight).sum(), x)
    torch.testing.assert_close(ours, theirs)


def test_heads_that_do_not_share_a_width_are_fewer() -> None:
    assert [heads_that_share(width, 12) for width in (768, 384, 128, 1024, 12, 7, 1)] == [
        12, 12, 8, 8, 12, 7, 1,
    ]  # fmt: skip
