"""Annotated entities in ordered pairs, and a bilinear classifier of the pairs.

Letters in shapes: T entities of a batch, P ordered pairs of them, D width of an entity's vector,
C classes (0 is NA, no relation), X features of one side of a pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from suite.modelling.batch import Columns
from suite.modelling.ragged import Ragged
from suite.tasks.examples import Example

DISTANCES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""The least distance of each bucket but the first, which is 0 (public code)."""
BUCKETS = 2 * len(DISTANCES) + 1
"""With a sign: the head before the tail, or after it."""


@dataclass(frozen=True)
class PackedEntities(Columns):
    """The annotated entities of examples and what relates them.

    Attributes:
        entities: number in the example, first word and end of the first mention.
        mentions: entity (index in `entities`), first word and end.
        facts: head and tail (likewise) and class.
        sizes: one number per example: its entities, those left out included.
    """

    entities: Ragged
    mentions: Ragged
    facts: Ragged
    sizes: Ragged


def pack_entities(
    examples: Sequence[Example], read: Sequence[int], classes: Mapping[str, int]
) -> PackedEntities:
    """Packs entities, their mentions and their facts.

    Args:
        examples: documents or sentences.
        read: how many words of each are read; a mention that goes beyond them is left out, and so
            is an entity without any other, with its facts.
        classes: the class of each relation; facts of others have no target.
    """
    entities, mentions, facts, sizes = [], [], [], []
    for example, words in zip(examples, read, strict=True):
        clusters, related = example.clusters(), example.related()
        kept = {i: [s for s in spans if s.end <= words] for i, spans in enumerate(clusters)}
        kept = {i: spans for i, spans in kept.items() if spans}
        index = {i: n for n, i in enumerate(kept)}
        entities.append([(i, *min(spans)) for i, spans in kept.items()])
        mentions.append([(index[i], *span) for i, spans in kept.items() for span in spans])
        facts.append(
            [
                (index[head], index[tail], classes[relation])
                for head, tail, relation in related
                if relation in classes and head in index and tail in index and head != tail
            ]
        )
        sizes.append([len(clusters)])
    return PackedEntities(
        entities=Ragged.from_rows(entities, 3),
        mentions=Ragged.from_rows(mentions, 3),
        facts=Ragged.from_rows(facts, 3),
        sizes=Ragged.from_rows(sizes),
    )


@dataclass(frozen=True)
class EntityVectors:
    """The entities of a batch, example after example.

    Attributes:
        rows: example of each.
        index: its number in the example.
        spans: first word and end of its first mention.
        vectors: mean of its mentions' vectors, which are means of their subwords', projected.
    """

    rows: Int[Tensor, " T"]
    index: Int[Tensor, " T"]
    spans: Int[Tensor, "T 2"]
    vectors: Float[Tensor, "T D"]

    def parts(self, at_once: int) -> list[EntityVectors]:
        """The same entities in parts of whole examples, of `at_once` and one example at most."""
        part = torch.searchsorted(self.rows, self.rows) // at_once
        sizes = part.unique_consecutive(return_counts=True)[1].tolist()
        columns = [getattr(self, field.name).split(sizes) for field in fields(self)]
        return [EntityVectors(*columns) for columns in zip(*columns, strict=True)]


@dataclass(frozen=True)
class Pairs:
    """Ordered pairs of two entities of one example.

    Attributes:
        heads, tails: indices into the entities.
        offsets: per entity, what leads from a tail to the place of its pair; see `place`.
    """

    heads: Int[Tensor, " P"]
    tails: Int[Tensor, " P"]
    offsets: Int[Tensor, " T"]

    def place(
        self, heads: Int[Tensor, " some"], tails: Int[Tensor, " some"]
    ) -> Int[Tensor, " some"]:
        """Where given pairs stand among all of them."""
        return self.offsets[heads] + tails - (tails > heads).long()

    def select(self, which: Int[Tensor, " some"]) -> Pairs:
        """Some of the pairs; `place` still tells where they stood."""
        return Pairs(self.heads[which], self.tails[which], self.offsets)

    def targets(self, gold: PackedEntities, classes: int) -> Bool[Tensor, "P C"]:
        """The classes of all pairs of a batch's own entities; NA where there is no other."""
        facts = gold.facts
        head, tail, relation = facts.values.unbind(1)
        first = gold.entities.offsets[facts.owners]
        shape = (len(self.heads), classes)
        tags = torch.zeros(shape, dtype=torch.bool, device=head.device)
        tags[self.place(first + head, first + tail), relation] = True
        tags[:, 0] = ~tags.any(1)
        return tags


def all_pairs(rows: Int[Tensor, " T"]) -> Pairs:
    """Every ordered pair of two entities of one example, by head, then by tail.

    Args:
        rows: example of each entity, ascending.
    """
    first = torch.searchsorted(rows, rows)
    others = torch.searchsorted(rows, rows, right=True) - first - 1
    offsets = others.cumsum(0) - others - first
    heads = torch.arange(len(rows), device=rows.device).repeat_interleave(others)
    tails = torch.arange(len(heads), device=rows.device) - offsets[heads]
    return Pairs(heads, tails + (tails >= heads).long(), offsets)


def draw_pairs(
    rows: Int[Tensor, " P"], related: Bool[Tensor, " P"], negatives: int, limit: int
) -> Int[Tensor, " drawn"]:
    """The pairs of one training step, ascending: of each example those that are related, and some.

    Args:
        rows: example of each pair, ascending.
        related: whether some relation holds.
        negatives: others for each of those; as many where there are none.
        limit: most pairs of an example; related ones come first.
    """
    examples = int(rows[-1]) + 1 if len(rows) else 0
    counts = rows.new_zeros(examples).index_add(0, rows, related.long())
    quota = (counts + negatives * counts.clamp(min=1)).clamp(max=limit)
    chance = torch.rand(len(rows), dtype=torch.float64, device=rows.device)
    order = (2 * rows + (~related).long() + chance).argsort()
    rank = torch.arange(len(rows), device=rows.device) - torch.searchsorted(rows, rows)
    return order[rank < quota[rows]].sort().values


def distance_buckets(distance: Int[Tensor, " P"]) -> Int[Tensor, " P"]:
    """The bucket of a signed distance in words: powers of two, 9 of either sign about 0."""
    bounds = torch.tensor(DISTANCES, device=distance.device)
    size = torch.bucketize(distance.abs(), bounds, right=True)
    return size * distance.sign() + len(DISTANCES)


class BilinearClassifier(nn.Module):
    """A bilinear layer between head and tail, each an entity's vector and a distance's embedding.

    The head's distance leads from the tail to it, the tail's the other way. Bilinear scores are the
    sum of what each of both parts of the head scores with each of both parts of the tail. So the
    weight meets every entity and every bucket once, and pairs only sum what these give.

    Args:
        width, distance_width: of vector and embedding.
        classes: C.
    """

    def __init__(self, width: int, distance_width: int, classes: int) -> None:
        super().__init__()
        self.width, features = width, width + distance_width
        self.distances = nn.Embedding(BUCKETS, distance_width)
        # As torch's own bilinear layer, but with the head's features first.
        self.weight = nn.Parameter(torch.empty(features, classes, features))
        self.bias = nn.Parameter(torch.empty(classes))
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -(features**-0.5), features**-0.5)

    def forward(self, entities: EntityVectors, pairs: Pairs) -> Float[Tensor, "P C"]:
        """The classes' scores of each pair."""
        heads, tails, vectors = pairs.heads, pairs.tails, entities.vectors
        distances, first = self.distances.weight, entities.spans[:, 0]
        bucket = distance_buckets(first[heads] - first[tails])
        by_head = self._weigh(vectors, self.weight[: self.width])
        by_distance = self._weigh(distances, self.weight[self.width :])
        entity_entity = self._between_entities(by_head[:, :, : self.width], entities, pairs)
        entity_distance = distances @ by_head[:, :, self.width :].transpose(1, 2)
        distance_entity = vectors @ by_distance[:, :, : self.width].flatten(0, 1).T
        distance_distance = (by_distance[:, :, self.width :] * distances.flip(0)[:, None]).sum(2)
        opposite = BUCKETS - 1 - bucket
        return (
            entity_entity
            + entity_distance.flatten(0, 1).index_select(0, heads * BUCKETS + opposite)
            + distance_entity.view(-1, len(self.bias)).index_select(0, tails * BUCKETS + bucket)
            + distance_distance.index_select(0, bucket)
            + self.bias
        )

    @staticmethod
    def _weigh(
        side: Float[Tensor, "items part"], weight: Float[Tensor, "part C X"]
    ) -> Float[Tensor, "items C X"]:
        return (side @ weight.flatten(1)).unflatten(1, weight.shape[1:])

    @staticmethod
    def _between_entities(
        by_head: Float[Tensor, "T C D"], entities: EntityVectors, pairs: Pairs
    ) -> Float[Tensor, "P C"]:
        """Scores of each head with all entities of its example; those of the pairs are taken."""
        rows, vectors = entities.rows, entities.vectors
        start = torch.searchsorted(rows, rows)
        most = int((torch.searchsorted(rows, rows, right=True) - start).max()) if len(rows) else 0
        columns = start[:, None] + torch.arange(most, device=rows.device)
        columns = columns.clamp(max=len(rows) - 1)
        tails = vectors.index_select(0, columns.flatten()).unflatten(0, columns.shape)
        scores = tails @ by_head.transpose(1, 2)
        cells = pairs.heads * most + pairs.tails - start[pairs.heads]
        return scores.flatten(0, 1).index_select(0, cells)
