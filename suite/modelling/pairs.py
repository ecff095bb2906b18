"""Pairs of words of one sentence, worked on some first words at a time, so that none is kept.

A batch has a number of pairs that grows with the square of its sentences, and a pair has a vector
and scores. Blocks of pairs hold no padding and are as large as the device works on best. What is
summed over pairs has its gradient taken block by block in the forward pass, for the gradient of a
sum is known by then but for a factor: nothing of a block outlives it, nor is it computed twice.

Letters in shapes: B sentences, N words, M words of a batch (those of its sentences one after
another), D size of a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from suite.modelling.groups import first_of_parts, group_starts, members
from suite.modelling.room import at_once


class PairBlock(NamedTuple):
    """All pairs of some first words, which follow one another.

    Attributes:
        words: those of the M that occur in it.
        first, second: of each pair, as places in `words`.
        pairs: where they stand among the batch's, by first and then by second word.
    """

    words: slice
    first: Int[Tensor, " pairs"]
    second: Int[Tensor, " pairs"]
    pairs: slice


def pack_words(x: Float[Tensor, "B N D"], lengths: Int[Tensor, " B"]) -> Float[Tensor, "M D"]:
    """The words' vectors one after another, without padding."""
    owners, within = members(lengths)
    return x.flatten(0, 1).index_select(0, owners * x.shape[1] + within)


def pair_blocks(
    lengths: Int[Tensor, " B"], numbers: int, *, ordered: bool = False
) -> list[PairBlock]:
    """All pairs of words of one sentence, those of a word with itself as well.

    Args:
        lengths: words of each sentence.
        numbers: that a pair is worked on with; it decides how many stand in a block.
        ordered: whether the second word stands nowhere before the first.
    """
    owners, within = members(lengths)
    words = torch.arange(len(owners), device=lengths.device)
    begins = words - within
    ends = begins + lengths[owners]
    seconds = words if ordered else begins
    counts = ends - seconds
    first, step = members(counts)
    second = seconds[first] + step
    begin = first_of_parts(counts, at_once(numbers, lengths.device))
    table = torch.stack([seconds, ends, group_starts(counts)], 1)
    heads = table[begin].tolist()
    tails = table[torch.cat([begin[1:], begin.new_tensor([len(words)])]) - 1].tolist()
    bounds = [*(head[2] for head in heads), len(first)]
    return [
        PairBlock(slice(lo, hi), first[a:b] - lo, second[a:b] - lo, slice(a, b))
        for (lo, *_), (_, hi, _), (a, b) in zip(heads, tails, pairwise(bounds), strict=True)
    ]


Terms = Callable[..., tuple[Float[Tensor, ""], Float[Tensor, " measures"]]]
"""From a block, its words' rows of some tensors and other tensors to what is summed, and to sums
that are only told."""


def sum_over_blocks(
    terms: Terms,
    blocks: Sequence[PairBlock],
    words: Sequence[Float[Tensor, "M _"]],
    others: Sequence[Tensor],
) -> tuple[Float[Tensor, ""], Float[Tensor, " measures"]]:
    """The sum of `terms` over blocks, with its gradient, and the sums that are only told.

    Args:
        terms: called with a block, its rows of each of `words`, and `others`; must read no other
            tensor that wants a gradient.
        blocks: of a batch.
        words: tensors with a row for each word.
        others: tensors that all blocks read whole.
    """
    if torch.is_grad_enabled() and any(t.requires_grad for t in (*words, *others)):
        return _Sum.apply(terms, blocks, len(words), *words, *others)  # type: ignore[no-untyped-call]
    parts = [terms(block, *(x[block.words] for x in words), *others) for block in blocks]
    totals, told = zip(*parts, strict=True)
    return torch.stack(totals).sum(), torch.stack(told).sum(0)


class _Sum(torch.autograd.Function):
    """The sum, whose gradient is taken on the way."""

    @staticmethod
    def forward(
        ctx: Any, terms: Terms, blocks: Sequence[PairBlock], count: int, *tensors: Tensor
    ) -> tuple[Float[Tensor, ""], Float[Tensor, " measures"]]:
        """The sum, and what is told."""
        wanted = ctx.needs_input_grad[3:]
        slopes = [torch.zeros_like(t) if w else None for t, w in zip(tensors, wanted, strict=True)]
        others = [t.detach().requires_grad_(w) for t, w in zip(tensors, wanted, strict=True)]
        totals, told = [], []
        for block in blocks:
            rows = [t.detach()[block.words] for t in tensors[:count]]
            leaves = [r.requires_grad_(w) for r, w in zip(rows, wanted[:count], strict=True)]
            leaves += others[count:]
            with torch.enable_grad():
                total, measures = terms(block, *leaves)
            asked = [leaf for leaf in leaves if leaf.requires_grad]
            found = iter(torch.autograd.grad(total, asked, allow_unused=True))
            for i, slope in enumerate(slopes):
                if slope is not None and (part := next(found)) is not None:
                    (slope[block.words] if i < count else slope).add_(part)
            totals.append(total.detach())
            told.append(measures.detach())
        ctx.slopes = slopes
        sums = torch.stack(told).sum(0)
        ctx.mark_non_differentiable(sums)
        return torch.stack(totals).sum(), sums

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor, _told: Tensor) -> Any:
        """The gradient that was taken, by the factor that was missing."""
        slopes = (None if s is None else s * scale.to(s.dtype) for s in ctx.slopes)
        return None, None, None, *slopes
