"""GRTE's global feature mining: what the words of a sentence learn from a round's tables.

Letters in shapes: B sentences, N words, D width, E width of the encoder, X numbers of a
word's table features.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from suite.modelling.layers import Dropout, heads_that_share, multi_head

Mining = Literal["attention", "gru", "none"]


class Source(NamedTuple):
    """What is attended to."""

    keys: Float[Tensor, "B N D"]
    values: Float[Tensor, "B N D"]


class Attention(nn.Module):
    """Multi-head attention, added to what asks and normalised, as BERT has it.

    Args:
        width: D.
        source: numbers of a word that is attended to.
        heads: H.
        dropout: on the weights and on what is added.
    """

    def __init__(self, width: int, source: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(source, width)
        self.value = nn.Linear(source, width)
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def read(self, source: Float[Tensor, "B N _"]) -> Source:
        """Keys and values of what is attended to."""
        return Source(self.key(source), self.value(source))

    def forward(
        self, x: Float[Tensor, "B N D"], source: Source, allowed: Bool[Tensor, "B 1 1 N"]
    ) -> Float[Tensor, "B N D"]:
        """The words' new vectors."""
        rate = self.dropout.p if self.training else 0.0
        mixed = self.out(multi_head(self.query(x), *source, self.heads, allowed, rate))
        return self.norm(x + self.dropout(mixed))


class AttentionMining(nn.Module):
    """A decoder layer: table features attend to each other, and then to the encoder's words.

    Args:
        width: D.
        source: E.
        heads: of both.
        feed_forward: D times so much is the width between the last two layers.
        dropout: after each part.
        outer_norm: whether the sum with what is mined is normalised once more.
    """

    def __init__(
        self,
        width: int,
        source: int,
        heads: int,
        feed_forward: int,
        dropout: float,
        *,
        outer_norm: bool,
    ) -> None:
        super().__init__()
        heads = heads_that_share(width, heads)
        self.among_themselves = Attention(width, width, heads, dropout)
        self.to_words = Attention(width, source, heads, dropout)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, feed_forward * width),
            nn.GELU(),
            nn.Linear(feed_forward * width, width),
            Dropout(dropout),
        )
        self.norm = nn.LayerNorm(width)
        self.outer_norm = nn.LayerNorm(width) if outer_norm else nn.Identity()

    def read(self, h: Float[Tensor, "B N E"]) -> Source:
        """What the encoder's words are attended to by, in all rounds that share this layer."""
        return self.to_words.read(h)

    def forward(
        self,
        features: Float[Tensor, "B N D"],
        vectors: Float[Tensor, "B N D"],
        source: Source,
        present: Bool[Tensor, "B N"],
    ) -> Float[Tensor, "B N D"]:
        """The vectors with what is mined from table features of the same role.

        Args:
            features: the maxima, projected.
            vectors: H_s or H_o.
            source: what `read` gave.
            present: False at padding, which no word attends to.
        """
        allowed = present[:, None, None, :]
        x = self.among_themselves(features, self.among_themselves.read(features), allowed)
        x = self.to_words(x, source, allowed)
        x = self.norm(x + self.feed_forward(x))
        return self.outer_norm(vectors + x)


class GRUMining(nn.Module):
    """The ablation's GRU in place of attention: each word's vector is its state.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(width, width)

    def read(self, h: Float[Tensor, "B N E"]) -> None:
        """It reads nothing but table features."""

    def forward(
        self,
        features: Float[Tensor, "B N D"],
        vectors: Float[Tensor, "B N D"],
        source: None,
        present: Bool[Tensor, "B N"],
    ) -> Float[Tensor, "B N D"]:
        """The states after the table features; arguments as `AttentionMining` has them."""
        new: Tensor = self.cell(features.flatten(0, 1), vectors.flatten(0, 1))
        return new.view_as(vectors)


class Round(nn.Module):
    """From a round's maxima to the next round's vectors (W_s, W_o and the mining).

    Args:
        features: X.
        width: D.
        mining: of one of the two forms.
    """

    def __init__(self, features: int, width: int, mining: AttentionMining | GRUMining) -> None:
        super().__init__()
        self.subjects, self.objects = (nn.Linear(features, width) for _ in range(2))
        for layer in (self.subjects, self.objects):
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.mining = mining


def spread(
    packed: Float[Tensor, "M X"], places: torch.Tensor, shape: tuple[int, int]
) -> Float[Tensor, "B N X"]:
    """Rows at their places among B N words, zero elsewhere."""
    flat = packed.new_zeros((shape[0] * shape[1], packed.shape[1]))
    return flat.index_copy(0, places, packed).unflatten(0, shape)
