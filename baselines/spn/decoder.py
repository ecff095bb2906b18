"""SPN's decoder: learned queries that ask one another and the sentence.

Letters in shapes: B sentences, N words, m queries, D hidden size.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import gelu

from suite.modelling.layers import Dropout, heads_that_share, multi_head

EPSILON = 1e-12
"""Of BERT's normalisation."""


class DecoderLayer(nn.Module):
    """Queries attend to one another, then to the words, and go through a feed-forward layer.

    Normalised after each residual connection, as BERT's layers are.

    Args:
        width: D.
        heads: of both attentions; divides D.
        hidden: of the feed-forward layer.
        dropout: on attention weights and on what is added to the queries.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
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
        own_query, own_key, own_value = self.own(x).chunk(3, 2)
        own = self.own_output(self._attend(own_query, own_key, own_value, None))
        x = self.norms[0](x + self.dropout(own))
        key, value = self.words(h).chunk(2, 2)
        read = self._attend(self.query(x), key, value, present[:, None, None])
        x = self.norms[1](x + self.dropout(self.words_output(read)))
        return self.norms[2](x + self.dropout(self.narrow(gelu(self.widen(x)))))

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
    """

    def __init__(
        self, width: int, queries: int, layers: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        heads = heads_that_share(width, heads)
        self.queries = nn.Parameter(torch.empty(queries, width))
        nn.init.orthogonal_(self.queries)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.dropout = Dropout(dropout)
        made = (DecoderLayer(width, heads, hidden, dropout) for _ in range(layers))
        self.layers = nn.ModuleList(made)

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
        return x
