"""When a sentence may leave a tagger of spans before its last layer.

Letters in shapes: b sentences that are still there, N words, T types.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from baselines.fastner.spans import THRESHOLD
from suite.systems.capabilities import OperatingPoint


class ExitRule:
    """Tells after each layer which sentences of a batch leave.

    A span's types are decided on independently, so that the entropy of which types it has is the
    sum of theirs, and the probability of the likeliest answer the product of theirs.

    - `entropy`: the largest entropy of a span lies below the threshold, in bits;
    - `confidence`: the least probability of a span's likeliest answer lies above it;
    - `patience`: so many layers in a row, this one the last, had the same candidates.

    All spans of a sentence count: what is surely no entity has an entropy of 0, so that nothing
    need be left out, and a sentence without candidates is like any other.

    Args:
        point: rule and threshold.
    """

    def __init__(self, point: OperatingPoint) -> None:
        self.point = point
        self._before: Bool[Tensor, "B N N T"] | None = None
        self._alike: Int[Tensor, " B"] | None = None

    def leaving(
        self, rows: Int[Tensor, " b"], probability: Float[Tensor, "b N N T"]
    ) -> Bool[Tensor, " b"]:
        """Which sentences leave.

        Args:
            rows: which of the batch they are; after the first layer, all.
            probability: of each type, 0 where there is no span.
        """
        rule, value = self.point
        if rule == "entropy":
            nats = torch.special.entr(probability) + torch.special.entr(1 - probability)
            return nats.sum(3).flatten(1).amax(1) < value * math.log(2)
        if rule == "confidence":
            likeliest = torch.maximum(probability, 1 - probability).prod(3)
            return likeliest.flatten(1).amin(1) > value
        return self._layers_alike(rows, probability > THRESHOLD) >= value

    def _layers_alike(
        self, rows: Int[Tensor, " b"], found: Bool[Tensor, "b N N T"]
    ) -> Int[Tensor, " b"]:
        """The layers in a row, up to this one, that found the same."""
        if self._before is None or self._alike is None:
            self._before, self._alike = found, torch.ones_like(rows)
            return self._alike
        words = found.shape[1]
        alike = (found == self._before[rows, :words, :words]).flatten(1).all(1)
        self._before[rows, :words, :words] = found
        self._alike[rows] = torch.where(alike, self._alike[rows] + 1, 1)
        return self._alike[rows]
