"""Which examples stand in which batch: the same for every system of a seed."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

JITTER = 0.1
"""Spread of the lengths by which an epoch's sentences are sorted, as a share of the length: enough
that an epoch's batches differ from the last one's, little enough that few words are padding."""


def training_batches(
    lengths: Int[Tensor, " examples"], size: int, seed: int, epoch: int
) -> list[Int[Tensor, " batch"]]:
    """Shuffled batches of similar length, a function of lengths, seed and epoch alone.

    Args:
        lengths: words of each example.
        size: examples per batch; the last one may hold fewer.
        seed: of the run.
        epoch: from 1.

    Returns:
        Indices of the examples of each batch; every example stands in one.
    """
    random = np.random.default_rng([seed, epoch])
    spread = random.uniform(1 - JITTER, 1 + JITTER, len(lengths))
    order = np.argsort(lengths.numpy() * spread, kind="stable")
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    return [torch.from_numpy(batches[i]) for i in random.permutation(len(batches))]


def evaluation_batches(lengths: Int[Tensor, " examples"], size: int) -> list[Int[Tensor, " batch"]]:
    """All examples in batches of similar length, longest first, so that memory peaks at once."""
    order = torch.argsort(lengths, descending=True, stable=True)
    return list(order.split(size))
