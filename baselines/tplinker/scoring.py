"""Which pairs of words have which tags, at inference.

Entities are looked for among all pairs. Links lead from entities to entities: first words are
scored where entities begin, last words where those end whose first words are linked. All other
links of all other pairs would change no triple.

Letters in shapes: M words of a batch (those of its sentences one after another), P pairs of words,
W width of a pair's vector, S words that begin entities, K candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import linear

from baselines.tplinker.kernels import HandshakingKernel
from baselines.tplinker.linking import MOST_CANDIDATES, Candidates, Entities, HeadLinks
from baselines.tplinker.tagging import Taggers
from suite.modelling.groups import strongest
from suite.modelling.pairs import PairBlock
from suite.modelling.room import at_once


class PairScores:
    """Scores of a batch's pairs, computed where they are asked for.

    Args:
        kernel, taggers: the system's.
        x: the words' vectors.
        owners: sentence of each word.
        distances: what is added to a pair's vector, for each distance of its words; or None.
    """

    def __init__(
        self,
        kernel: HandshakingKernel,
        taggers: Taggers,
        x: Float[Tensor, "M D"],
        owners: Int[Tensor, " M"],
        distances: Float[Tensor, "distances W"] | None,
    ) -> None:
        self.kernel, self.taggers = kernel, taggers
        self.words, self.inner = kernel.words(x), kernel.weights()
        self.owners, self.distances = owners, distances
        weight, bias = taggers.above_none()
        self.entity = weight[:1], bias[:1]
        shape = (2, 2, taggers.relations)
        self.head_weights, self.tail_weights = weight[1:].unflatten(0, shape).unbind(1)
        self.head_biases, self.tail_biases = bias[1:].unflatten(0, shape).unbind(1)

    def _vectors(self, first: Int[Tensor, " P"], second: Int[Tensor, " P"]) -> Float[Tensor, "P W"]:
        h = self.kernel.pairs(first, second, self.words, self.inner)
        return add_distances(h, self.distances, first, second)

    def entities(self, blocks: Sequence[PairBlock]) -> Entities:
        """All pairs that are tagged as first and last word of an entity.

        Args:
            blocks: of all pairs.
        """
        found = []
        for block in blocks:
            first, second = (block.words.start + side for side in (block.first, block.second))
            scores = precise(linear(self._vectors(first, second), *self.entity)).squeeze(1)
            which = (scores > 0).nonzero().squeeze(1)
            found.append((first[which], second[which], scores[which].sigmoid()))
        return Entities(*(torch.cat(column) for column in zip(*found, strict=True)))

    def heads(self, starts: Int[Tensor, " S"], blocks: Sequence[PairBlock]) -> HeadLinks:
        """The tagged links of first words, the most probable ones of each sentence.

        Args:
            starts: the words that begin entities, in order.
            blocks: of all their pairs.
        """
        relations = self.taggers.relations
        weight, bias = self.head_weights.flatten(0, 1), self.head_biases.flatten()
        found = [HeadLinks(starts[:0], starts[:0], starts[:0], bias[:0].float())]
        for block in blocks:
            of_block = starts[block.words]
            first, second = of_block[block.first], of_block[block.second]
            scores = precise(linear(self._vectors(first, second), weight, bias))
            scores = scores.unflatten(1, (2, relations))
            pair, relation = (scores.amax(1) > 0).nonzero(as_tuple=True)
            ahead, back = self.taggers.probabilities(*scores[pair, :, relation].unbind(1))
            found.append(self._linked(first[pair], second[pair], relation, ahead))
            found.append(self._linked(second[pair], first[pair], relation, back))
        return HeadLinks(*(torch.cat(column) for column in zip(*found, strict=True)))

    def _linked(
        self,
        subject: Int[Tensor, " P"],
        other: Int[Tensor, " P"],
        relation: Int[Tensor, " P"],
        scores: Float[Tensor, " P"],
    ) -> HeadLinks:
        which = scores.nonzero().squeeze(1)
        owners = self.owners[subject[which]]
        which = which[strongest(owners, scores[which], MOST_CANDIDATES)]
        return HeadLinks(subject[which], other[which], relation[which], scores[which])

    def tails(self, found: Candidates, entities: Entities) -> Float[Tensor, " K"]:
        """The probability that a candidate's last words are linked; 0 where they are not."""
        numbers = self.kernel.numbers + 2 * self.kernel.pair_width
        parts = [found.scores[:0]]
        for some in torch.arange(len(found.scores), device=self.owners.device).split(
            at_once(numbers, self.owners.device)
        ):
            if not len(some):
                break
            ours, theirs = (entities.last[side[some]] for side in (found.subject, found.object))
            relation = found.relation[some]
            h = self._vectors(torch.minimum(ours, theirs), torch.maximum(ours, theirs))
            weight = self.tail_weights[:, relation].to(h.dtype)
            scores = precise((h * weight).sum(2)) + self.tail_biases[:, relation]
            ahead, back = self.taggers.probabilities(*scores)
            # A pair of a word with itself may be read in both directions.
            ahead = torch.where(ours == theirs, torch.maximum(ahead, back), ahead)
            parts.append(torch.where(ours <= theirs, ahead, back))
        return torch.cat(parts)


def precise(scores: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Scores in at least single precision."""
    return scores.to(torch.promote_types(scores.dtype, torch.float32))


def add_distances(
    h: Float[Tensor, "P W"],
    distances: Float[Tensor, "distances W"] | None,
    first: Int[Tensor, " P"],
    second: Int[Tensor, " P"],
) -> Float[Tensor, "P W"]:
    """The pairs' vectors, each with what its words' distance adds."""
    return h if distances is None else h + distances.index_select(0, second - first)
