"""Tags of pairs of words: targets, scores, and their loss.

Every tagger is a softmax over the tags of a pair. Here class 0, no tag, scores 0, and the others
what they score above it: nearly all pairs have no tag, so that a loss is a sum over all pairs,
corrected at the few that have one.

Letters in shapes: B sentences, M words of a batch (those of its sentences one after another), P
pairs of words, W width of a pair's vector, R relations, C scores of a pair: of an entity, then for
each direction those of the relations between first words and those between last words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import softplus

from suite.modelling.batch import Batch
from suite.modelling.groups import group_starts
from suite.modelling.pairs import PairBlock
from suite.modelling.ragged import Ragged

Directions = Literal["one tag", "two tags"]
ENTITY_PRIOR, LINK_PRIOR = 0.01, 0.001
"""Probabilities of a tag before any training: as rare as tags are, in place of even odds."""


@dataclass(frozen=True)
class TaggedPairs(Batch):
    """Sentences with the tags of their pairs of words.

    Attributes:
        entities: first and last word of each entity that stands in a triple.
        heads: the first words of subject and object of each triple, the earlier one first; 1 where
            they have changed places, otherwise 0; relation.
        tails: likewise of their last words.
    """

    entities: Ragged
    heads: Ragged
    tails: Ragged


class Gold(NamedTuple):
    """Cells that have a tag.

    Attributes:
        pairs: place of each among the batch's pairs, in order.
        columns: which of the C scores is that of the tag.
    """

    pairs: Int[Tensor, " cells"]
    columns: Int[Tensor, " cells"]

    @classmethod
    def of(cls, batch: TaggedPairs, relations: int) -> Gold:
        """All tags of a batch."""
        entities = [(batch.entities, torch.zeros_like(batch.entities.values[:, 0]))]
        links = [
            (cells, 1 + (2 * cells.values[:, 2] + kind) * relations + cells.values[:, 3])
            for kind, cells in enumerate((batch.heads, batch.tails))
        ]
        held = [*entities, *links]
        places = torch.cat([_places(cells, batch.lengths) for cells, _ in held])
        columns = torch.cat([columns for _, columns in held])
        order = places.argsort(stable=True)
        return cls(places[order], columns[order])

    def split(self, blocks: Sequence[PairBlock]) -> list[tuple[Tensor, Tensor]]:
        """For each block the places among its own pairs, and the columns."""
        starts = self.pairs.new_tensor([block.pairs.start for block in blocks])
        bounds = torch.searchsorted(self.pairs, starts).tolist()
        ends = [*bounds[1:], len(self.pairs)]
        return [
            (self.pairs[a:b] - block.pairs.start, self.columns[a:b])
            for block, a, b in zip(blocks, bounds, ends, strict=True)
        ]


def _places(cells: Ragged, lengths: Int[Tensor, " B"]) -> Int[Tensor, " cells"]:
    """Where pairs stand among those of the batch whose second word is not before the first."""
    counts = lengths * (lengths + 1) // 2
    first, second = cells.values[:, 0], cells.values[:, 1]
    before = group_starts(counts)[cells.owners]
    return before + first * lengths[cells.owners] - first * (first - 1) // 2 + second - first


class Taggers(nn.Module):
    """All taggers: of entities, shared by the relations, and of both links of each relation.

    Args:
        width: W.
        relations: R.
        directions: whether a link has `one tag` (none, forward, backward), as in the paper, or
            `two tags` (none or one, for each direction), so that a relation may hold both ways.
    """

    def __init__(self, width: int, relations: int, directions: Directions) -> None:
        super().__init__()
        self.relations, self.directions = relations, directions
        self.tags = 3 if directions == "one tag" else 4
        self.entity = nn.Linear(width, 2)
        self.heads = nn.Linear(width, self.tags * relations)
        self.tails = nn.Linear(width, self.tags * relations)
        for layer, prior in (
            (self.entity, ENTITY_PRIOR),
            (self.heads, LINK_PRIOR),
            (self.tails, LINK_PRIOR),
        ):
            bias = layer.bias.detach().unflatten(0, (-1, 1 if layer is self.entity else relations))
            nn.init.zeros_(bias)
            bias[self._tagged(len(bias))] = math.log(prior / (1 - prior))

    def _tagged(self, tags: int) -> slice:
        """Which of a tagger's classes are tags; the others say that there is none."""
        return slice(1, None, 2) if tags in (2, 4) else slice(1, None)

    def above_none(self) -> tuple[Float[Tensor, "C W"], Float[Tensor, " C"]]:
        """Weight and bias of what tags score above no tag."""
        links = [layer.weight.unflatten(0, (self.tags, -1)) for layer in (self.heads, self.tails)]
        biases = [layer.bias.unflatten(0, (self.tags, -1)) for layer in (self.heads, self.tails)]
        entity = self.entity.weight[1:] - self.entity.weight[:1]
        rows = [
            _above(torch.stack(links, 1)).flatten(0, 2),
            _above(torch.stack(biases, 1)).flatten(),
        ]
        return (
            torch.cat([entity, rows[0]]),
            torch.cat([self.entity.bias[1:] - self.entity.bias[:1], rows[1]]),
        )

    def losses(
        self,
        scores: Float[Tensor, "P C"],
        gold: tuple[Tensor, Tensor],
        weights: Float[Tensor, " P"],
    ) -> Float[Tensor, "3"]:
        """Cross entropy of entities, of links of first words and of those of last words.

        Args:
            scores: above no tag.
            gold: pairs that have a tag, and the column of its score.
            weights: of each pair.
        """
        pairs, columns = gold
        links = scores[:, 1:].unflatten(1, (2, 2, self.relations))
        forward, backward = links[:, 0], links[:, 1]
        if self.directions == "one tag":
            free = _LogSum.apply(forward, backward)  # type: ignore[no-untyped-call]
        else:
            free = softplus(forward) + softplus(backward)
        rows = torch.cat([softplus(scores[:, :1]), free.sum(2)], 1)
        kind = torch.where(columns == 0, 0, 1 + (columns - 1) // self.relations % 2)
        right = scores.flatten().index_select(0, pairs * scores.shape[1] + columns)
        tagged = right.new_zeros(3).index_add(0, kind, right * weights[pairs])
        # No matrix product, which autocast would compute in half precision.
        return (weights[:, None] * rows).sum(0) - tagged

    def probabilities(
        self, forward: Float[Tensor, "*cells"], backward: Float[Tensor, "*cells"]
    ) -> tuple[Float[Tensor, "*cells"], Float[Tensor, "*cells"]]:
        """Of the tag of each direction, from what it scores above no tag; 0 where another wins."""
        if self.directions == "two tags":
            return tuple(s.sigmoid() * (s > 0) for s in (forward, backward))  # type: ignore[return-value]
        tags = torch.stack([torch.zeros_like(forward), forward, backward])
        _, ahead, back = tags.softmax(0)
        wins: Bool[Tensor, "*cells"] = forward >= backward
        return ahead * (wins & (forward > 0)), back * (~wins & (backward > 0))


def _above(tags: Float[Tensor, "tags 2 _ *W"]) -> Float[Tensor, "2 2 _ *W"]:
    """What both tags of a link have more than no tag."""
    if len(tags) == 3:
        return tags[1:] - tags[:1]
    return tags[1::2] - tags[::2]


class _LogSum(torch.autograd.Function):
    """log(1 + e^a + e^b), to full precision at both ends."""

    @staticmethod
    def forward(ctx: Any, a: Float[Tensor, "*cells"], b: Float[Tensor, "*cells"]) -> Tensor:
        """The logarithm for each cell."""
        top = torch.maximum(a, b).clamp_min_(0)
        p, q = (a - top).exp_(), (b - top).exp_()
        rest = torch.expm1(-top).add_(p).add_(q)
        whole = rest + 1
        ctx.save_for_backward(p.div_(whole), q.div_(whole))
        return rest.log1p_().add_(top)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, Tensor]:
        """Its gradients are the probabilities."""
        p, q = ctx.saved_tensors
        return slope * p, slope * q
