"""Starts have the spreads of the laws that they are named after, and keep a signal's."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from suite.modelling.layers import Convolution
from suite.modelling.start import he_normal, xavier_uniform


def test_a_convolution_starts_he_normal() -> None:
    torch.manual_seed(0)
    layer = Convolution(128, 256, 3)
    he_normal(layer)
    assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / 384), rel=0.02)
    assert layer.bias is not None
    assert not layer.bias.any()


def test_a_part_of_a_convolution_starts_as_the_whole() -> None:
    torch.manual_seed(0)
    part = Convolution(128, 256, 3, bias=False)
    he_normal(part, inputs=512)
    assert part.weight.std().item() == pytest.approx(math.sqrt(2 / (3 * 512)), rel=0.02)


@pytest.mark.parametrize(("parts", "outputs"), [(1, 300), (3, 100)])
def test_layers_side_by_side_start_each_by_itself(parts: int, outputs: int) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(100, 300)
    xavier_uniform(layer, parts)
    bound = math.sqrt(6 / (100 + outputs))
    assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    assert layer.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)
    assert not layer.bias.any()


def test_six_convolutions_keep_a_signals_spread() -> None:
    """With torch's own start they keep a thousandth of it."""
    torch.manual_seed(0)
    start = signal = torch.randn(8, 128, 60)
    for _ in range(6):
        layer = Convolution(128, 128, 3)
        he_normal(layer)
        signal = layer(signal) / math.sqrt(2)
    assert 0.5 < (signal.std() / start.std()).item() < 2
