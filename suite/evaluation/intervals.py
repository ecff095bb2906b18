"""The intervals of this package: the one place that calls on the bootstrap."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from suite.uncertainty.bootstrap import difference, f1_interval
from suite.uncertainty.resampling import Counts, resample

Parts = Int[np.ndarray, "examples 2"]
"""For each example: how many, and of how many."""


class Interval(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def _as_counts(parts: Parts) -> Counts:
    """Counts whose F1 is the share: as many are predicted as there are gold."""
    return parts[:, [0, 1, 1]]


def share_interval(parts: Parts) -> Interval:
    """A share over examples, summed before it is divided, by drawing examples.

    Args:
        parts: some of them of something, of which there is one at least.
    """
    return _share_interval(parts.astype(np.int64).tobytes())


@lru_cache(maxsize=1024)
def _share_interval(parts: bytes) -> Interval:
    """As `share_interval`, which a report's sentence, table and figure ask for in turn."""
    numbers = np.frombuffer(parts, np.int64).reshape(-1, 2)
    low, high = f1_interval(_as_counts(numbers))
    part, whole = numbers.sum(0)
    return Interval(float(part / whole), low, high)


def share_difference(first: Parts, second: Parts) -> Interval:
    """The difference of two shares over the same examples, drawn together."""
    return f1_difference(_as_counts(first), _as_counts(second))


def f1_difference(first: Counts, second: Counts) -> Interval:
    """The difference in micro F1 over the same examples, drawn together."""
    found = difference(resample(np.stack([first, second])), [0], [1], paired=True)
    return Interval(found.value, found.low, found.high)


def difference_of(first: Interval, second: Interval) -> Interval:
    """The difference of two values whose samples are taken for independent.

    The limits are recovered from those of the two, which need not be symmetric (Zou and Donner,
    Statistics in Medicine, 2008).
    """
    value = first.value - second.value
    return Interval(
        value,
        value - math.hypot(first.value - first.low, second.high - second.value),
        value + math.hypot(first.high - first.value, second.value - second.low),
    )
