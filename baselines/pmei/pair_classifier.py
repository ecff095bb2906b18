"""Scores of every ordered pair of words in every relation, and their loss.

Pairs are worked on in blocks (`suite.modelling.word_tables`), whose hidden vectors are never kept.

Letters in shapes: M words of a batch (those of its sentences one after another), D input size, H
hidden size, R relations, G gold triples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from suite.modelling.room import at_once
from suite.modelling.word_tables import TableBlock, split_cells, table_blocks

RARE = -7.0
"""Of an untrained classifier: a triple among a thousand. From even odds, the first hundreds of
steps do nothing but learn that triples are rare (Lin et al., ICCV 2017, section 4.1)."""


class PairClassifier(nn.Module):
    """Probabilities of all relations between all pairs of words (PMEI, equation 11).

    The first layer reads the concatenation of two words' vectors: it is a sum of what each brings
    alone, which is computed once a word. A word is never paired with itself.

    Args:
        width: D.
        hidden: H.
        relations: R.
    """

    def __init__(self, width: int, hidden: int, relations: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, 2 * hidden, bias=False)
        self.scores = nn.Linear(hidden, relations)
        nn.init.constant_(self.scores.bias, RARE)

    def blocks(self, lengths: Sequence[int], device: torch.device) -> list[TableBlock]:
        """The blocks in which the device works best."""
        return table_blocks(lengths, at_once(sum(self.scores.weight.shape), device))

    def loss(
        self, x: Float[Tensor, "M D"], blocks: Sequence[TableBlock], gold: Int[Tensor, "G 3"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "M R"]]:
        """Cross entropy summed over pairs and relations, and what `pool` gives.

        Args:
            x: the words' vectors.
            blocks: of the batch.
            gold: head word and tail word (of the M) and relation, without repetition.
        """
        heads, tails = self.project(x).chunk(2, 1)
        weight, bias = self.scores.weight, self.scores.bias
        return _PairLoss.apply(heads, tails, weight, bias, blocks, gold)  # type: ignore[no-untyped-call]

    def _scores(
        self, x: Float[Tensor, "M D"], blocks: Sequence[TableBlock]
    ) -> Iterator[tuple[TableBlock, Float[Tensor, "pairs R"]]]:
        """The scores of each block, minus infinity from a word to itself."""
        heads, tails = self.project(x).chunk(2, 1)
        room = _room(heads, blocks)
        for block in blocks:
            scores = self.scores(_hidden(heads, tails, block, room)).float()
            block.to_themselves(scores).fill_(-torch.inf)
            yield block, scores

    @torch.no_grad()
    def pool(self, x: Float[Tensor, "M D"], blocks: Sequence[TableBlock]) -> Float[Tensor, "M R"]:
        """The largest probability of each relation among the triples that a word heads."""
        tops = [block.table(scores).amax(1) for block, scores in self._scores(x, blocks)]
        return torch.cat([top.flatten(0, 1) for top in tops]).sigmoid()

    @torch.no_grad()
    def find(
        self, x: Float[Tensor, "M D"], blocks: Sequence[TableBlock], threshold: float
    ) -> tuple[Int[Tensor, "found 3"], Float[Tensor, " found"]]:
        """The pairs whose probability is above the threshold.

        Returns:
            Head word and tail word (of the M) and relation; the probability of each.
        """
        bound = torch.tensor(threshold).logit().item()
        found, probabilities = [], []
        for block, scores in self._scores(x, blocks):
            pair, relation = (scores > bound).nonzero(as_tuple=True)
            found.append(torch.stack([*block.words(pair), relation], 1))
            probabilities.append(scores[pair, relation].sigmoid())
        return torch.cat(found), torch.cat(probabilities)


def _room(heads: Float[Tensor, "M H"], blocks: Sequence[TableBlock]) -> Float[Tensor, "most H"]:
    """Memory for the hidden vectors of any one block, which fresh memory for each would slow."""
    most = max(block.pairs.stop - block.pairs.start for block in blocks)
    return heads.new_empty((most, heads.shape[1]))


def _hidden(
    heads: Float[Tensor, "M H"],
    tails: Float[Tensor, "M H"],
    block: TableBlock,
    room: Float[Tensor, "most H"],
) -> Float[Tensor, "pairs H"]:
    """The hidden vectors of equation 11, in `room`."""
    hidden = room[: block.pairs.stop - block.pairs.start]
    torch.add(block.of_tails(tails), block.of_heads(heads), out=block.table(hidden))
    return hidden.relu_()


class _PairLoss(torch.autograd.Function):
    """From what words bring as heads and as tails to loss and pooled probabilities.

    Of the forward pass the probabilities alone are kept. Hidden vectors, which are most of what
    autograd would keep, are made again: that is not slower than to fetch them from memory.
    """

    @staticmethod
    def forward(
        ctx: Any,
        heads: Float[Tensor, "M H"],
        tails: Float[Tensor, "M H"],
        weight: Float[Tensor, "R H"],
        bias: Float[Tensor, " R"],
        blocks: Sequence[TableBlock],
        gold: Int[Tensor, "G 3"],
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "M R"]]:
        """Loss and pooled probabilities."""
        weight, bias = weight.to(heads.dtype), bias.to(heads.dtype)
        relations, precise = len(weight), torch.promote_types(heads.dtype, torch.float32)
        probabilities = heads.new_empty((blocks[-1].pairs.stop, relations), dtype=precise)
        pooled = heads.new_empty((len(heads), relations), dtype=precise)
        loss = heads.new_zeros((), dtype=precise)
        cells = split_cells(blocks, gold)
        places = [pair * relations + relation for pair, relation in cells]
        # Negative scores give the probability against a relation, and so its logarithm, to full
        # precision where that is small.
        negative_bias, negative_weight = -bias, -weight.t()
        room = _room(heads, blocks)
        for block, gold_places in zip(blocks, places, strict=True):
            hidden = _hidden(heads, tails, block, room)
            against = torch.addmm(negative_bias, hidden, negative_weight).to(precise)
            loss += against.view(-1)[gold_places].sum()
            block.to_themselves(against).fill_(torch.inf)
            p = torch.sub(1, against.sigmoid_(), out=probabilities[block.pairs])
            loss -= against.clamp_min_(torch.finfo(precise).tiny).log_().sum()
            pooled[block.heads] = block.table(p).amax(1).flatten(0, 1)
        ctx.save_for_backward(heads, tails, weight, probabilities, pooled, *places)
        ctx.blocks = blocks
        ctx.set_materialize_grads(False)
        return loss, pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, loss_slope: Tensor | None, pooled_slope: Tensor | None) -> Any:
        """Gradients of what words bring, of the weight and of the bias."""
        heads, tails, weight, probabilities, pooled, *places = ctx.saved_tensors
        heads_slope, tails_slope = torch.empty_like(heads), torch.zeros_like(tails)
        weight_slope, bias_slope = torch.zeros_like(weight), probabilities.new_zeros(len(weight))
        scale = probabilities.new_zeros(()) if loss_slope is None else loss_slope
        room = _room(heads, ctx.blocks)
        for block, gold_places in zip(ctx.blocks, places, strict=True):
            p = probabilities[block.pairs]
            slope = p * scale
            slope.view(-1)[gold_places] -= scale
            if pooled_slope is not None:
                top = block.of_heads(pooled)
                through = block.of_heads(pooled_slope) * top * (1 - top)
                is_top = (block.table(p) - top).sign_().add_(1)
                # As autograd does, tails that are as probable share the gradient.
                block.table(slope).addcmul_(is_top, through / is_top.sum(1, keepdim=True))
            bias_slope += slope.sum(0)
            slope = slope.to(weight.dtype)
            hidden = _hidden(heads, tails, block, room)
            weight_slope += slope.t() @ hidden
            # The derivative of ReLU is the sign of its output.
            inner = block.table((slope @ weight).mul_(hidden.sign_()))
            heads_slope[block.heads] = inner.sum(1).flatten(0, 1)
            tails_slope[block.tails] += inner.sum(2).flatten(0, 1)
        return heads_slope, tails_slope, weight_slope, bias_slope, None, None
