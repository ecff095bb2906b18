"""How weights start where torch's own start is not that of the code a paper was run with.

Keras and Paddle start linear layers and tables Xavier-uniform (Glorot and Bengio, 2010) with zero
biases, Paddle starts convolutions He-normal (He et al., 2015). torch draws a linear layer's weights
within one over the root of its inputs, and a convolution's with a sixth of He's variance: six
convolutions one after another then leave a thousandth of a signal's spread.
"""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

LinearStart = Literal["torch", "xavier"]
"""How linear layers start: as torch has them, or as Keras and Paddle do."""


def he_normal(layer: nn.Conv1d, inputs: int | None = None, gain: float = 2.0) -> None:
    """Draws a convolution's weights with a deviation of the root of two over its inputs; no bias.

    Args:
        layer: the convolution.
        inputs: channels that are summed into an output, where the layer is one part of a
            convolution of more; None: its own.
        gain: in place of the two: how much the variance grows by the layer.
    """
    fan_in = (layer.in_channels if inputs is None else inputs) * layer.kernel_size[0]
    nn.init.normal_(layer.weight, std=math.sqrt(gain / fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def xavier_uniform(layer: nn.Linear | nn.Embedding, parts: int = 1) -> None:
    """Draws the weights of a linear layer, whose bias becomes zero, or of a table.

    Args:
        layer: to be started.
        parts: layers that it stands for, whose outputs lie side by side in it.
    """
    for part in layer.weight.detach().chunk(parts):
        nn.init.xavier_uniform_(part)
    if isinstance(layer, nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)
