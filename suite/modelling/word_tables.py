"""Tables over pairs of words, worked on in blocks: every word of a sentence with every other one.

A batch has B N N pairs, and a pair has a vector and scores. Blocks hold a few pairs, so that what
is made of them stays in the cache and is never kept, and sentences of one length are worked on
together, so that no pair is padding. `suite.modelling.pairs` lists pairs one by one instead, for
those whose second word is not before the first.

Letters in shapes: B sentences, N words, M words of a batch (those of its sentences one after
another), D size of a vector, X any number, G gold cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from suite.modelling.batch import Batch
from suite.modelling.groups import group_starts, members


class Layout(NamedTuple):
    """A batch's words one after another, without padding, sentences from short to long.

    Attributes:
        order: which sentence of the batch stands at each place.
        lengths: words of the sentence at each place.
        starts: the first word of each.
        owners: the place of each word's sentence.
        within: the place of each word in its sentence.
    """

    order: Int[Tensor, " B"]
    lengths: Int[Tensor, " B"]
    starts: Int[Tensor, " B"]
    owners: Int[Tensor, " M"]
    within: Int[Tensor, " M"]

    @classmethod
    def of(cls, batch: Batch) -> Layout:
        """The layout of a batch."""
        lengths, order = batch.lengths.sort(stable=True)
        return cls(order, lengths, group_starts(lengths), *members(lengths))

    def pack(self, x: Float[Tensor, "B N D"]) -> Float[Tensor, "M D"]:
        """The vectors of the words."""
        return x.flatten(0, 1).index_select(0, self.places(x.shape[1]))

    def places(self, longest: int) -> Int[Tensor, " M"]:
        """Where the words stand among those of the batch's sentences, padded to the longest."""
        return self.order[self.owners] * longest + self.within


class TableBlock(NamedTuple):
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

    def of_heads(self, x: Shaped[Tensor, "M X"]) -> Shaped[Tensor, "sentences 1 heads X"]:
        """The heads' rows, as they stand beside those of the tails."""
        return x[self.heads].unflatten(0, (self.sentences, 1, -1))

    def of_tails(self, x: Shaped[Tensor, "M X"]) -> Shaped[Tensor, "sentences tails 1 X"]:
        """The tails' rows, as they stand beside those of the heads."""
        return x[self.tails].unflatten(0, (self.sentences, -1, 1))

    def table(self, rows: Shaped[Tensor, "pairs X"]) -> Shaped[Tensor, "sentences tails heads X"]:
        """The pairs' rows by sentence, tail and head."""
        return rows.view(self.sentences, self.length, self.width, rows.shape[1])

    def to_themselves(self, rows: Shaped[Tensor, "pairs X"]) -> Shaped[Tensor, "sentences X heads"]:
        """The rows of the pairs of a word with itself."""
        return self.table(rows).diagonal(self.tails.start - self.heads.start, dim1=1, dim2=2)

    def words(
        self, pairs: Int[Tensor, " some"]
    ) -> tuple[Int[Tensor, " some"], Int[Tensor, " some"]]:
        """Head word and tail word (of the M) of some of the pairs, which are numbered from 0."""
        tail = pairs // self.width
        head = tail // self.length * self.width + pairs % self.width
        return self.heads.start + head, self.tails.start + tail

    def numbers(
        self, heads: Int[Tensor, " some"], tails: Int[Tensor, " some"]
    ) -> Int[Tensor, " some"]:
        """The numbers of pairs, from 0, by their head words and tail words (of the M)."""
        # A tail's number in the block counts the words of the sentences before its own as well.
        return (tails - self.tails.start) * self.width + (heads - self.heads.start) % self.width


def table_blocks(lengths: Sequence[int], at_once: int) -> list[TableBlock]:
    """Cuts a batch into blocks of at most `at_once` pairs, or of one head word.

    Args:
        lengths: words of each sentence; those of one length must follow one another.
        at_once: pairs; `suite.modelling.room.at_once` says how many a device works on best.
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
                blocks.append(TableBlock(some, length, tails, slice(*heads), pairs))
                pair = pairs.stop
            word += words
    return blocks


def split_cells(
    blocks: Sequence[TableBlock], cells: Int[Tensor, "G columns"]
) -> list[tuple[Int[Tensor, " some"], ...]]:
    """Of each block its cells: number of the pair, and what else the cells' columns hold.

    Args:
        blocks: of a batch.
        cells: head word and tail word (of the M), and any other columns.
    """
    cells = cells[cells[:, 0].argsort()]
    ends = torch.tensor([block.heads.stop for block in blocks], device=cells.device)
    which = torch.bucketize(cells[:, 0].contiguous(), ends, right=True)
    parts = cells.split(torch.bincount(which, minlength=len(blocks)).tolist())
    found = []
    for block, part in zip(blocks, parts, strict=True):
        head, tail, *others = part.unbind(1)
        found.append((block.numbers(head, tail), *others))
    return found
