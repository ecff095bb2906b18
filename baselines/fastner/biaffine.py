"""Scores of all spans of a sentence by a biaffine form (Yu et al., ACL 2020).

Letters in shapes: B sentences, N words, E width of a word's vector, W of a projection, T types.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from suite.modelling.layers import Dropout

PRIOR = 0.01
"""Probability of a typed span before training. Hardly any span is an entity, and a start from one
half would spend its first steps on unlearning all of them (Lin et al., ICCV 2017, section 3.3)."""


class BiaffineSpans(nn.Module):
    """Scores every span of every type.

    With h_s and h_e a word's projections as a start and as an end, the span from i to j scores
    h_s(i)^T U_t h_e(j) + w_t^T [h_s(i); h_e(j)] + b_t for type t (Yu et al., section 3).

    Args:
        inputs: E.
        width: W; each projection is a linear layer with ReLU.
        types: T.
        dropout: on both projections.
    """

    def __init__(self, inputs: int, width: int, types: int, dropout: float) -> None:
        super().__init__()
        self.start = nn.Linear(inputs, width)
        self.end = nn.Linear(inputs, width)
        self.dropout = Dropout(dropout)
        # The half of w_t that meets h_e is the bias of U_t's layer; b_t is that of the other half.
        self.bilinear = nn.Linear(width, types * width)
        self.start_alone = nn.Linear(width, types)
        nn.init.constant_(self.start_alone.bias, math.log(PRIOR / (1 - PRIOR)))

    def forward(self, x: Float[Tensor, "B N E"]) -> Float[Tensor, "B N N T"]:
        """The scores, by first and last word; those of last before first mean nothing."""
        start, end = (self.dropout(layer(x).relu()) for layer in (self.start, self.end))
        types = self.start_alone.out_features
        towards_end = self.bilinear(start).unflatten(2, (types, -1)).flatten(1, 2)
        scores = (towards_end @ end.mT).unflatten(1, (-1, types))
        return (scores + self.start_alone(start)[..., None]).mT


def span_mask(lengths: Int[Tensor, " B"], words: int) -> Bool[Tensor, "B N N"]:
    """True where the first word does not come after the last, and neither is padding."""
    places = torch.arange(words, device=lengths.device)
    return (places[:, None] <= places) & (places < lengths[:, None])[:, None]
