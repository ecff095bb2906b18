"""Scores of every ordered pair of words in every relation, and their loss.

A batch has B N N pairs, and a pair has a hidden vector and a score for every relation. Here pairs
are worked on a few at a time, so that hidden vectors stay in the cache and are never kept, and
sentences of one length are worked on together, so that no pair is padding.

Letters in shapes: B sentences, N words, M words of a batch (those of its sentences one after
another), D input size, H hidden size, R relations, G gold triples, X any number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from suite.modelling.batch import Batch

NUMBERS_IN_CACHE = 2**19
"""Hidden numbers and scores of the pairs that a CPU works on together: what a core's cache holds,
and enough that the calls do not count."""
NUMBERS_ON_GPU = 2**27
"""Likewise of a GPU, whose many cores all want some."""
RARE = -7.0
"""Of an untrained classifier: a triple among a thousand. From even odds, the first hundreds of
steps do nothing but learn that triples are rare (Lin et al., ICCV 2017, section 4.1)."""


class Layout(NamedTuple):
    """A batch's words one after another, without padding, sentences from short to long.

    Attributes:
        order: which sentence of the batch stands at each place.
        lengths: words of the sentence at each place.
        starts: the first word of each.
        owners: the place of each word's sentence.
    """

    order: Int[Tensor, " B"]
    lengths: Int[Tensor, " B"]
    starts: Int[Tensor, " B"]
    owners: Int[Tensor, " M"]

    @classmethod
    def of(cls, batch: Batch) -> Layout:
        """The layout of a batch."""
        lengths, order = batch.lengths.sort(stable=True)
        owners = torch.arange(len(order), device=order.device).repeat_interleave(lengths)
        return cls(order, lengths, lengths.cumsum(0) - lengths, owners)

    def pack(self, x: Float[Tensor, "B N D"]) -> Float[Tensor, "M D"]:
        """The vectors of the words."""
        return x.flatten(0, 1).index_select(0, self.places(x.shape[1]))

    def places(self, longest: int) -> Int[Tensor, " M"]:
        """Where the words stand among those of the batch's sentences, padded to the longest."""
        within = torch.arange(len(self.owners), device=self.owners.device)
        return self.order[self.owners] * longest + within - self.starts[self.owners]


class PairBlock(NamedTuple):
    """All pairs of some sentences of one length, or those of some head words of one sentence.

    Attributes:
        sentences: how many.
        length: words of each.
        tails: where the sentences' words stand among the batch's.
        heads: likewise, of those that are heads here.
        pairs: where the pairs stand among the batch's, which are in the order of blocks, and in a
            block by sentence, tail and head.
    """

    sentences: int
    length: int
    tails: slice
    heads: slice
    pairs: slice

    @property
    def width(self) -> int:
        """Heads of each sentence."""
        return (self.heads.stop - self.heads.start) // self.sentences

    def table(self, rows: Shaped[Tensor, "pairs X"]) -> Shaped[Tensor, "sentences tails heads X"]:
        """The pairs' rows by sentence, tail and head."""
        return rows.view(self.sentences, self.length, self.width, rows.shape[1])

    def to_themselves(self, rows: Shaped[Tensor, "pairs X"]) -> Shaped[Tensor, "sentences X heads"]:
        """The rows of the pairs of a word with itself."""
        return self.table(rows).diagonal(self.tails.start - self.heads.start, dim1=1, dim2=2)


def make_blocks(lengths: Sequence[int], at_once: int) -> list[PairBlock]:
    """Cuts a batch into blocks of at most `at_once` pairs, or of one head word.

    Args:
        lengths: words of each sentence; those of one length must follow one another.
        at_once: pairs.
    """
    blocks = []
    word = pair = 0
    for length, same in groupby(lengths):
        left = len(list(same))
        while left:
            some = min(left, max(1, at_once // length**2))
            left -= some
            words = some * length
            # One part, but for a sentence that has too many pairs by itself.
            parts = -(-words // max(1, at_once // length))
            bounds = [word + words * i // parts for i in range(parts + 1)]
            tails = slice(word, word + words)
            for heads in pairwise(bounds):
                pairs = slice(pair, pair + (heads[1] - heads[0]) * length)
                blocks.append(PairBlock(some, length, tails, slice(*heads), pairs))
                pair = pairs.stop
            word += words
    return blocks


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

    def blocks(self, lengths: Sequence[int], device: torch.device) -> list[PairBlock]:
        """The blocks in which the device works best; see `make_blocks`."""
        numbers = NUMBERS_IN_CACHE if device.type == "cpu" else NUMBERS_ON_GPU
        return make_blocks(lengths, numbers // sum(self.scores.weight.shape))

    def loss(
        self, x: Float[Tensor, "M D"], blocks: Sequence[PairBlock], gold: Int[Tensor, "G 3"]
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
        self, x: Float[Tensor, "M D"], blocks: Sequence[PairBlock]
    ) -> Iterator[tuple[PairBlock, Float[Tensor, "pairs R"]]]:
        """The scores of each block, minus infinity from a word to itself."""
        heads, tails = self.project(x).chunk(2, 1)
        room = _room(heads, blocks)
        for block in blocks:
            scores = self.scores(_hidden(heads, tails, block, room)).float()
            block.to_themselves(scores).fill_(-torch.inf)
            yield block, scores

    @torch.no_grad()
    def pool(self, x: Float[Tensor, "M D"], blocks: Sequence[PairBlock]) -> Float[Tensor, "M R"]:
        """The largest probability of each relation among the triples that a word heads."""
        tops = [block.table(scores).amax(1) for block, scores in self._scores(x, blocks)]
        return torch.cat([top.flatten(0, 1) for top in tops]).sigmoid()

    @torch.no_grad()
    def find(
        self, x: Float[Tensor, "M D"], blocks: Sequence[PairBlock], threshold: float
    ) -> tuple[Int[Tensor, "found 3"], Float[Tensor, " found"]]:
        """The pairs whose probability is above the threshold.

        Returns:
            Head word and tail word (of the M) and relation; the probability of each.
        """
        bound = torch.tensor(threshold).logit().item()
        found, probabilities = [], []
        for block, scores in self._scores(x, blocks):
            pair, relation = (scores > bound).nonzero(as_tuple=True)
            tail = pair // block.width
            head = tail // block.length * block.width + pair % block.width
            words = (block.heads.start + head, block.tails.start + tail)
            found.append(torch.stack([*words, relation], 1))
            probabilities.append(scores[pair, relation].sigmoid())
        return torch.cat(found), torch.cat(probabilities)


def _room(heads: Float[Tensor, "M H"], blocks: Sequence[PairBlock]) -> Float[Tensor, "most H"]:
    """Memory for the hidden vectors of any one block, which fresh memory for each would slow."""
    most = max(block.pairs.stop - block.pairs.start for block in blocks)
    return heads.new_empty((most, heads.shape[1]))


def _hidden(
    heads: Float[Tensor, "M H"],
    tails: Float[Tensor, "M H"],
    block: PairBlock,
    room: Float[Tensor, "most H"],
) -> Float[Tensor, "pairs H"]:
    """The hidden vectors of equation 11, in `room`."""
    of_heads = heads[block.heads].unflatten(0, (block.sentences, 1, -1))
    of_tails = tails[block.tails].unflatten(0, (block.sentences, -1, 1))
    hidden = room[: block.pairs.stop - block.pairs.start]
    torch.add(of_tails, of_heads, out=block.table(hidden))
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
        blocks: Sequence[PairBlock],
        gold: Int[Tensor, "G 3"],
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "M R"]]:
        """Loss and pooled probabilities."""
        weight, bias = weight.to(heads.dtype), bias.to(heads.dtype)
        relations, precise = len(weight), torch.promote_types(heads.dtype, torch.float32)
        probabilities = heads.new_empty((blocks[-1].pairs.stop, relations), dtype=precise)
        pooled = heads.new_empty((len(heads), relations), dtype=precise)
        loss = heads.new_zeros((), dtype=precise)
        places = _gold_places(blocks, gold, relations)
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
                top = pooled[block.heads].unflatten(0, (block.sentences, 1, -1))
                through = pooled_slope[block.heads].view_as(top) * top * (1 - top)
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


def _gold_places(
    blocks: Sequence[PairBlock], gold: Int[Tensor, "G 3"], relations: int
) -> list[Int[Tensor, " gold_of_block"]]:
    """Where the gold triples stand among the scores of each block."""
    gold = gold[gold[:, 0].argsort()]
    ends = torch.tensor([block.heads.stop for block in blocks], device=gold.device)
    which = torch.bucketize(gold[:, 0].contiguous(), ends, right=True)
    parts = gold.split(torch.bincount(which, minlength=len(blocks)).tolist())
    places = []
    for block, part in zip(blocks, parts, strict=True):
        head, tail, relation = part.unbind(1)
        # A tail's number in the block counts the words of the sentences before its own as well.
        row = (tail - block.tails.start) * block.width
        pair = row + (head - block.heads.start) % block.width
        places.append(pair * relations + relation)
    return places
