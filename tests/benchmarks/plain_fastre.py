"""FastRE's loss as its equations read, by torch's own layers, to measure its own code against.

The parameters are those of the system itself, so that both give one loss. Nothing is joined that
the paper has apart: two convolutions a block, a whole convolution for each head of a sentence, and
the loss of every position and class, padding and classes out of play zeroed.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from suite.fastre.encoder import Block
from suite.fastre.system import FastRE
from suite.modelling.cascade import CascadeBatch, batch_targets, dense_tags
from suite.modelling.layers import SelfAttention


class PlainFastRE(nn.Module):
    """The loss of FastRE with adaptive thresholds, gated linear units and residual connections.

    Args:
        system: whose parameters are used.
    """

    def __init__(self, system: FastRE) -> None:
        super().__init__()
        self.system = system

    def forward(self, batch: CascadeBatch) -> Float[Tensor, ""]:
        """Equation 15."""
        own = self.system
        vectors = own.encoder.words(batch.text)
        mask = torch.arange(vectors.shape[1]) < batch.lengths[:, None]
        h = self._encoded(vectors, mask)
        targets = batch_targets(batch)
        rows, (first, last, kind) = targets.head_rows, targets.heads.unbind(1)
        shape = (len(batch), vectors.shape[1], len(own.schema.entity_types))
        tags = torch.stack([dense_tags(rows, w, kind, shape) for w in (first, last)], 2)
        total = _loss(self._head_scores(h, mask), tags, mask, None)
        which, start, end, relation = targets.tails.unbind(1)
        shape = (len(rows), vectors.shape[1], len(own.schema.relations))
        tags = torch.stack([dense_tags(which, w, relation, shape) for w in (start, end)], 2)
        scores = self._tail_scores(h, mask, rows, targets.heads)
        return (total + _loss(scores, tags, mask[rows], own.relations_of_type[kind])) / len(batch)

    def _encoded(
        self, vectors: Float[Tensor, "B N E"], mask: Bool[Tensor, "B N"]
    ) -> Float[Tensor, "B N D"]:
        """Equations 1 to 4."""
        encoder = self.system.encoder
        x = encoder.project(vectors) + encoder.positions[: vectors.shape[1]]
        x = functional.dropout(x, encoder.input_dropout.p, self.training)
        x = x.transpose(1, 2) * mask[:, None]
        for i, block in enumerate(encoder.blocks):
            assert isinstance(block, Block)
            if i:
                x = functional.dropout(x, encoder.dropout.p, self.training)
            layer = block.convolutions
            assert layer.bias is not None
            a, b = (
                functional.conv1d(x, weight, bias, padding="same", dilation=layer.dilation)
                for weight, bias in zip(layer.weight.chunk(2), layer.bias.chunk(2), strict=True)
            )
            x = (a * b.sigmoid() + x) * mask[:, None]
        return x.transpose(1, 2)

    def _head_scores(
        self, h: Float[Tensor, "B N D"], mask: Bool[Tensor, "B N"]
    ) -> Float[Tensor, "B N 2 classes"]:
        """Equations 5 to 10."""
        own = self.system
        seen = torch.cat([h, _attended(own.head_attention, h, mask)], 2).transpose(1, 2)
        hidden = functional.conv1d(seen, own.head_hidden.weight, own.head_hidden.bias, padding=1)
        scores: Tensor = own.head_scores(hidden.relu().transpose(1, 2))
        return scores.unflatten(2, (2, -1))

    def _tail_scores(
        self,
        h: Float[Tensor, "B N D"],
        mask: Bool[Tensor, "B N"],
        rows: Int[Tensor, " T"],
        heads: Int[Tensor, "T 3"],
    ) -> Float[Tensor, "T N 2 classes"]:
        """Equations 13 and 14: one convolution over [H; H_t; w^h], for each head anew."""
        own = self.system
        assert own.tail_hidden_sentence is not None
        h_t = _attended(own.tail_attention, h, mask)
        positions = torch.arange(h.shape[1])
        first, last, kind = heads.unbind(1)
        sentence = h[rows]
        every = torch.arange(len(rows))
        feature = [
            sentence[every, first, None] + own.start_distance((positions - first[:, None]).abs()),
            sentence[every, last, None] + own.end_distance((positions - last[:, None]).abs()),
            own.type_embedding(kind)[:, None].expand(-1, h.shape[1], -1),
        ]
        about = torch.cat(feature, 2) * mask[rows][:, :, None]
        seen = torch.cat([sentence, h_t[rows], about], 2).transpose(1, 2)
        weight = torch.cat([own.tail_hidden_sentence.weight, own.tail_hidden_head.weight], 1)
        hidden = functional.conv1d(seen, weight, own.tail_hidden_sentence.bias, padding=1)
        scores: Tensor = own.tail_scores(hidden.relu().transpose(1, 2))
        return scores.unflatten(2, (2, -1))


def _attended(
    layer: SelfAttention, h: Float[Tensor, "B N D"], mask: Bool[Tensor, "B N"]
) -> Float[Tensor, "B N D"]:
    """Equations 5 to 8."""
    query, key, value = (
        part.unflatten(2, (layer.heads, -1)).transpose(1, 2)
        for part in layer.project(h).chunk(3, dim=2)
    )
    scores = query @ key.transpose(2, 3) / query.shape[3] ** 0.5
    weights = scores.masked_fill(~mask[:, None, None], -torch.inf).softmax(3)
    return (weights @ value).transpose(1, 2).flatten(2) * mask[:, :, None]


def _loss(
    scores: Float[Tensor, "rows N 2 classes"],
    tags: Bool[Tensor, "rows N 2 tagged"],
    mask: Bool[Tensor, "rows N"],
    scored: Bool[Tensor, "rows tagged"] | None,
) -> Float[Tensor, ""]:
    """Equation 11 at every position, summed over words."""
    classes, threshold = scores[..., :-1], scores[..., -1:]
    play = torch.ones_like(tags) if scored is None else scored[:, None, None].expand_as(tags)
    among = torch.cat([classes.masked_fill(~tags, -torch.inf), threshold], 3)
    positive = (among.logsumexp(3, keepdim=True) - classes).where(tags, 0.0).sum(3)
    others = torch.cat([classes.masked_fill(tags | ~play, -torch.inf), threshold], 3)
    negative = others.logsumexp(3) - threshold[..., 0]
    return ((positive + negative) * mask[:, :, None]).sum()
