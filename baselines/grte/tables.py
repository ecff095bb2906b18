"""GRTE's tables: a score for every pair of words, relation and label, never held as a whole.

A table is worked on a few pairs at a time (`suite.modelling.word_tables`): its maxima, its loss and
its labelled cells are all that leaves a block. Columns of scores are in the order of labels, and
within a label of relations.

Letters in shapes: N words, M words of a batch (those of its sentences one after another), D width,
R relations, L labels, X = L R scores of a pair, G gold cells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from baselines.grte.labels import LABELS, NOTHING, Cells
from suite.modelling.room import at_once
from suite.modelling.word_tables import Layout, TableBlock, split_cells, table_blocks

Activation = Literal["relu", "elu", "gelu"]
RARE = math.log(999 * (len(LABELS) - 1))
"""How far "N/A" is ahead at the start: one cell in a thousand is labelled. From even odds, the
first hundreds of steps do nothing but learn that labels are rare."""


class _Activation(NamedTuple):
    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor, Tensor], Tensor]
    """From the slope of the output, the input and the output to the slope of the input."""


_ATEN = torch.ops.aten
ACTIVATIONS: dict[Activation, _Activation] = {
    "relu": _Activation(functional.relu, lambda g, _, y: _ATEN.threshold_backward(g, y, 0)),
    "elu": _Activation(functional.elu, lambda g, _, y: _ATEN.elu_backward(g, 1, 1, 1, True, y)),
    "gelu": _Activation(functional.gelu, lambda g, x, _: _ATEN.gelu_backward(g, x)),
}


class TableFeature(nn.Module):
    """TF_r(i, j) = W_r f(H_s,i * H_o,j) + b_r, for all words i and j of a sentence.

    Args:
        width: D.
        relations: R.
        activation: f.
        last: whether cells are labelled by it; b_r, which shifts maxima alone, is left out if not.
    """

    def __init__(
        self, width: int, relations: int, activation: Activation, *, last: bool = True
    ) -> None:
        super().__init__()
        self.activation = activation
        self.scores = nn.Linear(width, len(LABELS) * relations, bias=last)
        nn.init.orthogonal_(self.scores.weight)
        if last:
            nn.init.zeros_(self.scores.bias)
            nn.init.constant_(self.scores.bias[:relations], RARE)

    def blocks(self, lengths: Sequence[int], device: torch.device) -> list[TableBlock]:
        """The blocks in which the device works best."""
        return table_blocks(lengths, at_once(sum(self.scores.weight.shape), device))

    def maxima(
        self,
        subjects: Float[Tensor, "M D"],
        objects: Float[Tensor, "M D"],
        blocks: Sequence[TableBlock],
    ) -> tuple[Float[Tensor, "M X"], Float[Tensor, "M X"]]:
        """The largest score of each word as a subject, over all objects, and as an object.

        They are without b_r, which a maximum only shifts: the layer that reads them has a bias.
        """
        subjects, objects, weight = self._operands(subjects, objects)
        if not torch.is_grad_enabled():
            return _maxima(subjects, objects, weight, self.activation, blocks)
        return _Maxima.apply(subjects, objects, weight, self.activation, blocks)  # type: ignore[no-untyped-call]

    def loss(
        self,
        subjects: Float[Tensor, "M D"],
        objects: Float[Tensor, "M D"],
        blocks: Sequence[TableBlock],
        gold: Int[Tensor, "G 4"],
    ) -> Float[Tensor, ""]:
        """Cross entropy of labels, summed over all pairs and relations.

        Args:
            subjects: H_s of the batch's words.
            objects: H_o of them.
            blocks: of the batch.
            gold: subject's word and object's word (of the M), relation and label of the cells that
                have another label than N/A, each cell once.
        """
        subjects, objects, weight = self._operands(subjects, objects)
        held = (weight, self.scores.bias, self.activation, blocks, gold, torch.is_grad_enabled())
        return _TableLoss.apply(subjects, objects, *held)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def find(
        self,
        subjects: Float[Tensor, "M D"],
        objects: Float[Tensor, "M D"],
        blocks: Sequence[TableBlock],
        layout: Layout,
    ) -> Cells:
        """The cells whose most probable label is not N/A, at most `MOST_CELLS` of a sentence."""
        subjects, objects, weight = self._operands(subjects, objects)
        bias = self.scores.bias
        found = []
        for block in blocks:
            _, hidden = _hidden(subjects, objects, block, self.activation)
            scores = (hidden @ weight.t()).float().add_(bias).unflatten(1, (len(LABELS), -1))
            labelled = scores[:, 1:].amax(1) > scores[:, NOTHING]
            pair, relation = labelled.nonzero(as_tuple=True)
            probability, label = scores[pair, :, relation].softmax(1).max(1)
            subject, object_ = block.words(pair)
            columns = (layout.owners[subject], subject, object_, relation, label, probability)
            found.append(Cells(*columns).most_probable())
        return Cells.joined(found).most_probable()

    def _operands(
        self, subjects: Float[Tensor, "M D"], objects: Float[Tensor, "M D"]
    ) -> tuple[Float[Tensor, "M D"], Float[Tensor, "M D"], Float[Tensor, "X D"]]:
        """All of the type that is computed in."""
        kind, dtype = subjects.device.type, subjects.dtype
        if torch.is_autocast_enabled(kind):
            dtype = torch.get_autocast_dtype(kind)
        return subjects.to(dtype), objects.to(dtype), self.scores.weight.to(dtype)


def _hidden(
    subjects: Float[Tensor, "M D"],
    objects: Float[Tensor, "M D"],
    block: TableBlock,
    activation: Activation,
) -> tuple[Float[Tensor, "pairs D"], Float[Tensor, "pairs D"]]:
    """The products of a block's pairs, and f of them."""
    product = (block.of_tails(objects) * block.of_heads(subjects)).flatten(0, 2)
    return product, ACTIVATIONS[activation].forward(product)


class _Slopes:
    """Gradients of subjects, objects and weight, gathered block by block."""

    def __init__(
        self,
        subjects: Float[Tensor, "M D"],
        objects: Float[Tensor, "M D"],
        weight: Float[Tensor, "X D"],
        activation: Activation,
    ) -> None:
        self.operands = (subjects, objects)
        self.activation = activation
        self.read = weight
        precise = torch.promote_types(weight.dtype, torch.float32)
        self.subjects, self.objects, self.weight = (
            torch.zeros_like(x, dtype=precise) for x in (subjects, objects, weight)
        )

    def add(
        self,
        block: TableBlock,
        slope: Float[Tensor, "pairs X"],
        product: Float[Tensor, "pairs D"],
        hidden: Float[Tensor, "pairs D"],
    ) -> None:
        """Those of a block's pairs, from the slopes of their scores."""
        if self.weight.dtype == slope.dtype:
            self.weight.addmm_(slope.t(), hidden)
        else:
            self.weight += slope.t() @ hidden
        inner = ACTIVATIONS[self.activation].backward(slope @ self.read, product, hidden)
        inner = block.table(inner)
        subjects, objects = self.operands
        self.subjects[block.heads] = (inner * block.of_tails(objects)).sum(1).flatten(0, 1)
        self.objects[block.tails] += (inner * block.of_heads(subjects)).sum(2).flatten(0, 1)

    def times(self, scale: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
        """The gradients, each of the type of what it is a gradient of."""
        found = (self.subjects, self.objects, self.weight)
        operands = (*self.operands, self.read)
        subjects, objects, weight = (
            (x * scale).to(of.dtype) for x, of in zip(found, operands, strict=True)
        )
        return subjects, objects, weight


def _maxima(
    subjects: Float[Tensor, "M D"],
    objects: Float[Tensor, "M D"],
    weight: Float[Tensor, "X D"],
    activation: Activation,
    blocks: Sequence[TableBlock],
) -> tuple[Float[Tensor, "M X"], Float[Tensor, "M X"]]:
    rows, columns = (subjects.new_full((len(subjects), len(weight)), -torch.inf) for _ in "so")
    for block in blocks:
        _, hidden = _hidden(subjects, objects, block, activation)
        table = block.table(hidden @ weight.t())
        rows[block.heads] = table.amax(1).flatten(0, 1)
        columns[block.tails] = torch.maximum(columns[block.tails], table.amax(2).flatten(0, 1))
    return rows, columns


class _Maxima(torch.autograd.Function):
    """Row and column maxima of a table.

    Kept are the maxima's places, to which alone gradients go; the products are made again. Of equal
    scores, of which bfloat16 has many, one takes the whole gradient.
    """

    @staticmethod
    def forward(
        ctx: Any,
        subjects: Float[Tensor, "M D"],
        objects: Float[Tensor, "M D"],
        weight: Float[Tensor, "X D"],
        activation: Activation,
        blocks: Sequence[TableBlock],
    ) -> tuple[Float[Tensor, "M X"], Float[Tensor, "M X"]]:
        """Row and column maxima."""
        rows, columns = (subjects.new_empty((len(subjects), len(weight))) for _ in "so")
        rows_at, columns_at = (torch.empty_like(rows, dtype=torch.int32) for _ in "so")
        for block in blocks:
            _, hidden = _hidden(subjects, objects, block, activation)
            table = block.table(hidden @ weight.t())
            top, at = table.max(1)
            rows[block.heads], rows_at[block.heads] = top.flatten(0, 1), at.flatten(0, 1)
            top, at = (x.flatten(0, 1) for x in table.max(2))
            shift = block.heads.start - block.tails.start
            if shift:
                held, held_at = columns[block.tails], columns_at[block.tails]
                larger = top > held
                top, at = (
                    torch.where(larger, top, held),
                    torch.where(larger, at.int() + shift, held_at),
                )
            columns[block.tails], columns_at[block.tails] = top, at
        ctx.save_for_backward(subjects, objects, weight, rows_at, columns_at)
        ctx.held = (activation, blocks)
        return rows, columns

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, rows_slope: Tensor, columns_slope: Tensor) -> Any:
        """Gradients of what words bring and of the weight."""
        subjects, objects, weight, rows_at, columns_at = ctx.saved_tensors
        activation, blocks = ctx.held
        slopes = _Slopes(subjects, objects, weight, activation)
        for block in blocks:
            product, hidden = _hidden(subjects, objects, block, activation)
            slope = hidden.new_zeros((len(hidden), len(weight)))
            table = block.table(slope)
            table.scatter_(1, block.of_heads(rows_at).long(), block.of_heads(rows_slope))
            at = block.of_tails(columns_at).long() - (block.heads.start - block.tails.start)
            inside = (at >= 0) & (at < block.width)
            value = block.of_tails(columns_slope) * inside
            table.scatter_add_(2, at.clamp(0, block.width - 1), value)
            slopes.add(block, slope, product, hidden)
        return *slopes.times(1.0), None, None


class _TableLoss(torch.autograd.Function):
    """Cross entropy of a table's labels.

    The slopes of the scores are at hand when the loss is, and so the gradients are taken at once,
    block by block: nothing of a block has to be kept or made again.
    """

    @staticmethod
    def forward(
        ctx: Any,
        subjects: Float[Tensor, "M D"],
        objects: Float[Tensor, "M D"],
        weight: Float[Tensor, "X D"],
        bias: Float[Tensor, " X"],
        activation: Activation,
        blocks: Sequence[TableBlock],
        gold: Int[Tensor, "G 4"],
        trained: bool,
    ) -> Float[Tensor, ""]:
        """The loss."""
        precise = torch.promote_types(subjects.dtype, torch.float32)
        loss = subjects.new_zeros((), dtype=precise)
        slopes = _Slopes(subjects, objects, weight, activation)
        bias_slope = torch.zeros_like(bias, dtype=precise)
        relations = len(weight) // len(LABELS)
        for block, (pair, relation, label) in zip(blocks, split_cells(blocks, gold), strict=True):
            product, hidden = _hidden(subjects, objects, block, activation)
            scores = (hidden @ weight.t()).to(precise).add_(bias)
            scores = scores.unflatten(1, (len(LABELS), relations))
            nothing = scores[:, NOTHING].clone()
            # Relative to N/A, whose loss is then exact where it is near 0, as nearly everywhere.
            ahead = scores.sub_(nothing[:, None])
            loss -= ahead[pair, label, relation].sum()
            top = ahead.amax(1)
            weights = ahead.sub_(top[:, None]).exp_()
            others = weights[:, 1:].sum(1)
            of_nothing = top.neg()
            loss += (top + (others + of_nothing.expm1()).log1p_()).sum()
            if not trained:
                continue
            slope = weights.div_((others + of_nothing.exp_())[:, None])
            slope[:, NOTHING] = -slope[:, 1:].sum(1)
            slope[pair, NOTHING, relation] += 1
            slope[pair, label, relation] -= 1
            slope = slope.flatten(1)
            bias_slope += slope.sum(0)
            slopes.add(block, slope.to(weight.dtype), product, hidden)
        if trained:
            ctx.save_for_backward(*slopes.times(1.0), bias_slope)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Float[Tensor, ""]) -> Any:
        """Gradients of what words bring, of the weight and of the bias."""
        return *(slope * scale.to(slope.dtype) for slope in ctx.saved_tensors), *[None] * 4
