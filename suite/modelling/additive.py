"""Scores of pairs of vectors by one hidden layer on both: v f(a_i + b_j), without holding them all.

A layer on the concatenation of two vectors is a sum of what each brings, which is computed once a
vector (as in additive attention, Bahdanau et al., ICLR 2015). What is left to each pair is the
activation f, whose outputs are as many numbers as pairs times hidden units. Here a few rows are
worked on at a time, so that they stay in the cache; of the forward pass only the scores are kept,
and the backward pass computes the outputs again, which is not slower than to fetch them from
memory.

Letters in shapes: B sentences, M rows and N columns of each, H hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from suite.modelling.room import at_once

Activation = Literal["relu", "tanh"]


def additive_scores(
    rows: Float[Tensor, "B M H"],
    columns: Float[Tensor, "B N H"],
    weight: Float[Tensor, " H"],
    activation: Activation,
    pairs: int | None = None,
) -> Float[Tensor, "B M N"]:
    """The score of every row with every column of its sentence; float32 where the input is less.

    Args:
        rows: what each brings to the hidden layer.
        columns: likewise; the layer's bias is in one of the two.
        weight: v.
        activation: f.
        pairs: in memory at a time, or those of one row; None: what suits the device.
    """
    if pairs is None:
        # A pair is worked on with the outputs of f and, of each, its slope.
        pairs = at_once(2 * max(1, rows.shape[2]), rows.device)
    scores: Tensor = _AdditiveScores.apply(rows, columns, weight, activation, pairs)  # type: ignore[no-untyped-call]
    return scores


class _Block(NamedTuple):
    """Some rows of some sentences: of one sentence, or all of each."""

    sentences: slice
    rows: slice


def _blocks(
    rows: Float[Tensor, "B M H"], columns: Float[Tensor, "B N H"], pairs: int
) -> Iterator[_Block]:
    sentences, height, _ = rows.shape
    row = max(1, columns.shape[1])
    together = max(1, pairs // (row * max(1, height)))
    part = max(1, min(height, pairs // row))
    for first in range(0, sentences, together):
        for top in range(0, height, part):
            yield _Block(
                slice(first, min(first + together, sentences)), slice(top, min(top + part, height))
            )


def _hidden(
    rows: Float[Tensor, "B M H"],
    columns: Float[Tensor, "B N H"],
    block: _Block,
    activation: Activation,
) -> Float[Tensor, "some part N H"]:
    """The outputs of f of a block."""
    summed = rows[block.sentences, block.rows, None] + columns[block.sentences, None]
    return summed.relu_() if activation == "relu" else summed.tanh_()


class _AdditiveScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        rows: Float[Tensor, "B M H"],
        columns: Float[Tensor, "B N H"],
        weight: Float[Tensor, " H"],
        activation: Activation,
        pairs: int,
    ) -> Float[Tensor, "B M N"]:
        weight = weight.to(rows.dtype)
        shape = (*rows.shape[:2], columns.shape[1])
        precise = torch.promote_types(rows.dtype, torch.float32)
        scores = rows.new_empty(shape, dtype=precise)
        for block in _blocks(rows, columns, pairs):
            hidden = _hidden(rows, columns, block, activation)
            scores[block.sentences, block.rows] = (hidden @ weight).to(precise)
        ctx.save_for_backward(rows, columns, weight)
        ctx.activation, ctx.pairs = activation, pairs
        return scores

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Float[Tensor, "B M N"]) -> Any:
        """Gradients of what rows and columns bring, and of v."""
        rows, columns, weight = ctx.saved_tensors
        # Sums over many pairs, for which bfloat16 is too coarse.
        precise = torch.promote_types(rows.dtype, torch.float32)
        rows_slope = torch.zeros_like(rows, dtype=precise)
        columns_slope = torch.zeros_like(columns, dtype=precise)
        weight_slope = torch.zeros_like(weight, dtype=precise)
        for block in _blocks(rows, columns, ctx.pairs):
            hidden = _hidden(rows, columns, block, ctx.activation)
            of_scores = slope[block.sentences, block.rows].to(hidden.dtype)
            weight_slope += of_scores.flatten() @ hidden.flatten(0, 2)
            # The derivative of ReLU is the sign of its output, that of tanh 1 minus its square.
            inner = hidden.sign_() if ctx.activation == "relu" else hidden.square_().neg_().add_(1)
            inner.mul_(of_scores[..., None])
            rows_slope[block.sentences, block.rows] = inner.sum(2, dtype=precise)
            columns_slope[block.sentences] += inner.sum(1, dtype=precise)
        v = weight.to(precise)
        return (
            (rows_slope * v).to(rows.dtype),
            (columns_slope * v).to(columns.dtype),
            weight_slope,
            None,
            None,
        )
