"""SPN's decoder: learned queries that ask one another and the sentence.

Letters in shapes: B sentences, N words, m queries, D hidden size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import gelu

from suite.modelling.layers import Dropout, heads_that_share, multi_head

EPSILON = 1e-12
"""Of BERT's normalisation."""
Place: TypeAlias = Literal["before", "after"]
"""Of a normalisation: before each part of a layer, or after the residual connection around it."""


class DecoderLayer(nn.Module):
    """Queries attend to one another, then to the words, and go through a feed-forward layer.

    Args:
        width: D.
        heads: of both attentions; divides D.
        hidden: of the feed-forward layer.
        dropout: on attention weights and on what is added to the queries.
        normalised: where; `after` is BERT's.
    """

    def __init__(
        self, width: int, heads: int, hidden: int, dropout: float, normalised: Place
    ) -> None:
        super().__init__()
        self.heads, self.first = heads, normalised == "before"
        self.dropout = Dropout(dropout)
        self.own = nn.Linear(width, 3 * width)
        self.own_output = nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        self.words = nn.Linear(width, 2 * width)
        self.words_output = nn.Linear(width, width)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=EPSILON) for _ in range(3))

    def forward(
        self, x: Float[Tensor, "B m D"], h: Float[Tensor, "B N D"], present: Bool[Tensor, "B N"]
    ) -> Float[Tensor, "B m D"]:
        """The queries' new vectors.

        Args:
            x: those before.
            h: of the words.
            present: True at words.
        """
        x = self._added(0, x, self._ask_one_another)
        x = self._added(1, x, lambda x: self._read(x, h, present))
        return self._added(2, x, lambda x: self.narrow(gelu(self.widen(x))))

    def _added(
        self,
        part: int,
        x: Float[Tensor, "B m D"],
        change: Callable[[Float[Tensor, "B m D"]], Float[Tensor, "B m D"]],
    ) -> Float[Tensor, "B m D"]:
        """The vectors with what a part makes of them."""
        norm = self.norms[part]
        if self.first:
            return x + self.dropout(change(norm(x)))
        normed: Float[Tensor, "B m D"] = norm(x + self.dropout(change(x)))
        return normed

    def _ask_one_another(self, x: Float[Tensor, "B m D"]) -> Float[Tensor, "B m D"]:
        query, key, value = self.own(x).chunk(3, 2)
        return self.own_output(self._attend(query, key, value, None))

    def _read(
        self, x: Float[Tensor, "B m D"], h: Float[Tensor, "B N D"], present: Bool[Tensor, "B N"]
    ) -> Float[Tensor, "B m D"]:
        key, value = self.words(h).chunk(2, 2)
        read = self._attend(self.query(x), key, value, present[:, None, None])
        return self.words_output(read)

    def _attend(
        self,
        query: Float[Tensor, "B m D"],
        key: Float[Tensor, "B K D"],
        value: Float[Tensor, "B K D"],
        allowed: Bool[Tensor, "B 1 1 K"] | None,
    ) -> Float[Tensor, "B m D"]:
        rate = self.dropout.p if self.training else 0.0
        return multi_head(query, key, value, self.heads, allowed, rate)


class QueryDecoder(nn.Module):
    """From a sentence's words to a vector for each query, whichever triple it will stand for.

    Args:
        width: D.
        queries: m.
        layers: how many.
        heads: attention heads at most; the most that divide D are taken.
        hidden: of the feed-forward layers.
        dropout: on the queries and in the layers.
        normalised: where, in the layers.
    """

    def __init__(
        self,
        width: int,
        queries: int,
        layers: int,
        heads: int,
        hidden: int,
        dropout: float,
        normalised: Place,
    ) -> None:
        super().__init__()
        heads = heads_that_share(width, heads)
        self.queries = nn.Parameter(torch.empty(queries, width))
        nn.init.orthogonal_(self.queries)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.dropout = Dropout(dropout)
        made = (DecoderLayer(width, heads, hidden, dropout, normalised) for _ in range(layers))
        self.layers = nn.ModuleList(made)
        self.last = nn.LayerNorm(width, eps=EPSILON) if normalised == "before" else nn.Identity()

    def forward(
        self, h: Float[Tensor, "B N D"], present: Bool[Tensor, "B N"]
    ) -> Float[Tensor, "B m D"]:
        """The queries' vectors.

        Args:
            h: the words'.
            present: True at words.
        """
        x = self.dropout(self.norm(self.queries).expand(len(h), -1, -1))
        for layer in self.layers:
            x = layer(x, h, present)
        last: Float[Tensor, "B m D"] = self.last(x)
        return last
