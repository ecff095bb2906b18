"""Three tests as textbooks have them: Holm's adjustment, a mean against a figure, two means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from suite.uncertainty.bootstrap import LEVEL


class Difference(NamedTuple):
    """A difference to a fixed figure with its 95 % interval and two-sided p-value.

    `p` is NaN where it is not defined: equal values have no spread to test against.
    """

    difference: float
    low: float
    high: float
    p: float


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjustment (1979): each p-value as it stands among all comparisons of one table."""
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, (len(p_values) - rank) * p_values[index])
        adjusted[index] = min(1.0, largest)
    return adjusted


def against_published(values: Sequence[float], published: float) -> Difference:
    """One-sample t-test of the seeds' mean against a published figure, in the figure's unit.

    Args:
        values: one per seed, at least three.
        published: the figure as printed; its own spread is unknown and counts as none.

    Raises:
        ValueError: fewer than three seeds.
    """
    if len(values) < 3:
        raise ValueError(f"a test over seeds needs three, not {len(values)}")
    difference = float(np.mean(values)) - published
    if np.ptp(values) == 0:
        return Difference(difference, difference, difference, float("nan"))
    result = stats.ttest_1samp(values, published)
    interval = result.confidence_interval(LEVEL)
    return Difference(
        difference,
        float(interval.low) - published,
        float(interval.high) - published,
        float(result.pvalue),
    )


def mean_difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Welch's t-test of the means of two sets of independent seeds (Biometrika 34, 1947).

    Args:
        first: one value per seed, at least two.
        second: likewise; the difference is first minus second.

    Raises:
        ValueError: fewer than two seeds of one of them.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError(f"a test over seeds needs two of each, not {len(first)}, {len(second)}")
    difference = float(np.mean(first) - np.mean(second))
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        return Difference(difference, difference, difference, float("nan"))
    result = stats.ttest_ind(first, second, equal_var=False)
    interval = result.confidence_interval(LEVEL)
    return Difference(difference, float(interval.low), float(interval.high), float(result.pvalue))
