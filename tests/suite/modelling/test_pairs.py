"""Blocks of pairs hold every pair once; sums over them have the gradient of the whole."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from suite.modelling import room
from suite.modelling.pairs import PairBlock, pack_words, pair_blocks, sum_over_blocks

LENGTHS = torch.tensor([3, 1, 5, 2])


@given(st.lists(st.integers(1, 7), min_size=1, max_size=6), st.integers(1, 60), st.booleans())
@settings(max_examples=60, deadline=None)
def test_blocks_hold_every_pair_once_in_order(
    lengths: list[int], at_once: int, ordered: bool
) -> None:
    blocks = pair_blocks(torch.tensor(lengths), room.NUMBERS_IN_CACHE // at_once, ordered=ordered)
    found: list[tuple[int, int]] = []
    for block in blocks:
        assert block.pairs == slice(len(found), len(found) + len(block.first))
        here = [*zip(block.first.tolist(), block.second.tolist(), strict=True)]
        words = range(block.words.stop - block.words.start)
        assert {w for pair in here for w in pair} <= set(words)
        found += [(i + block.words.start, j + block.words.start) for i, j in here]
    expected, start = [], 0
    for n in lengths:
        words = range(start, start + n)
        expected += [(i, j) for i in words for j in words if i <= j or not ordered]
        start += n
    assert found == expected
    longest = max(lengths)
    # A whole number of numbers a pair rounds what stands in a block up.
    most = room.NUMBERS_IN_CACHE // (room.NUMBERS_IN_CACHE // at_once)
    assert max(len(block.first) for block in blocks) <= most + longest


def test_words_are_packed_in_order_without_padding() -> None:
    x = torch.arange(40.0).view(4, 5, 2)
    expected = torch.cat([x[i, :n] for i, n in enumerate(LENGTHS.tolist())])
    assert torch.equal(pack_words(x, LENGTHS), expected)


def terms(block: PairBlock, x: Tensor, y: Tensor, w: Tensor, unused: Tensor) -> tuple[Tensor, ...]:
    scores = (x[block.first] * y[block.second]).tanh() @ w
    return scores.square().sum(), torch.stack([scores.sum(), scores.abs().sum()])


@pytest.mark.parametrize("numbers", [2**19, 2**17, 2**10])
@pytest.mark.parametrize("fixed", ["nothing", "y", "w"])
def test_gradient_is_that_of_the_whole(numbers: int, fixed: str) -> None:
    torch.manual_seed(0)
    double = torch.float64
    x, y = (torch.randn(11, 3, dtype=double, requires_grad=True) for _ in range(2))
    w, unused = (torch.randn(3, dtype=double, requires_grad=True) for _ in range(2))
    if fixed != "nothing":
        {"y": y, "w": w}[fixed].requires_grad_(False)
    blocks = pair_blocks(LENGTHS, numbers, ordered=True)
    (everything,) = pair_blocks(LENGTHS, 2**10, ordered=True)
    total, told = sum_over_blocks(terms, blocks, [x, y], [w, unused])
    expected, told_of_all = terms(everything, x, y, w, unused)
    torch.testing.assert_close(total, expected)
    torch.testing.assert_close(told, told_of_all.detach())
    assert not told.requires_grad
    asked = [t for t in (x, y, w) if t.requires_grad]
    found = torch.autograd.grad(total * 0.3, asked)
    torch.testing.assert_close(found, torch.autograd.grad(expected * 0.3, asked))
    with torch.no_grad():
        again, _ = sum_over_blocks(terms, blocks, [x, y], [w, unused])
    torch.testing.assert_close(again, total.detach())
    assert again.grad_fn is None


def test_no_gradient_is_asked_of_what_wants_none() -> None:
    x, y, w = torch.randn(11, 3), torch.randn(11, 3), torch.randn(3)
    total, _ = sum_over_blocks(terms, pair_blocks(LENGTHS, 2**17), [x, y], [w, w])
    assert not total.requires_grad
