"""How many more seeds, or test items, would tell two systems apart, at the measured spread.

The variance of the difference is known by its source (`suite.uncertainty.components`): what comes
of seeds shrinks with their number, what comes of items with the size of the test set, and their
interaction with both. A difference of the size that was measured is found with a probability of
`POWER` once it is as many standard errors as the quantiles of Student's t for the level and for the
power together (Cohen, Statistical Power Analysis, 1988, section 2.4), with Satterthwaite's degrees
of freedom. The measured difference is itself uncertain, and so is what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from suite.uncertainty.bootstrap import LEVEL, Estimate
from suite.uncertainty.components import Components

POWER = 0.80
MOST_SEEDS = 100
"""More of each system than these are not counted out."""
MOST_TIMES = 100
"""Nor is a test set of more times the items."""
RUNGS = 400
"""Numbers of items that are tried, from 1 in equal ratios."""


@dataclass(frozen=True)
class Needed:
    """What would settle a tie.

    Attributes:
        of: what there would have to be more of.
        number: so many more; None where it is not said.
        most: where `number` is None: more than so many; None where no number would do, or where
            nothing can be told.
        told: False where a system has one seed.
    """

    of: Literal["seeds", "items"]
    number: int | None = None
    most: int | None = None
    told: bool = True


def more_seeds(found: Estimate) -> Needed:
    """How many more seeds of each system, on the same test set."""
    parts = found.components
    if not parts.counts_seeds:
        return Needed("seeds", told=False)

    def enough(more: int) -> bool:
        seeds = [
            (part.variance * part.seeds / (part.seeds + more), part.freedom + more)
            for part in parts.seeds
        ]
        return _is_found(found.value, parts.items, seeds)

    if not _is_found(found.value, parts.items, []):
        return Needed("seeds")
    if not enough(MOST_SEEDS):
        return Needed("seeds", most=MOST_SEEDS)
    return _least("seeds", -1, MOST_SEEDS, enough)


def more_items(found: Estimate) -> Needed:
    """How many more test items, with the same seeds."""
    parts = found.components
    if not parts.counts_seeds:
        return Needed("items", told=False)

    def enough(more: int) -> bool:
        left = parts.size / (parts.size + more)
        return _is_found(found.value, left * _with_items(parts), seeds)

    seeds = [(part.alone, part.freedom) for part in parts.seeds]
    most = (MOST_TIMES - 1) * parts.size
    # More items leave a variance of which less is known: with few seeds a number may be enough
    # where a larger one is not. The first of these that is enough is near the least.
    tried = [0, *dict.fromkeys(int(n) for n in np.geomspace(1, most, RUNGS).round())]
    first = next((place for place, more in enumerate(tried) if enough(more)), None)
    if first is None:
        return Needed("items", most=most if _is_found(found.value, 0.0, seeds) else None)
    below = tried[first - 1] if first else -1
    return _least("items", below, tried[first], enough)


def _with_items(parts: Components) -> float:
    """What shrinks with the number of items."""
    return parts.total - sum(part.alone for part in parts.seeds)


def _is_found(value: float, items: float, seeds: list[tuple[float, int]]) -> bool:
    """Whether a difference is found with the power, given the parts of its variance.

    Args:
        value: the difference.
        items: variance of a part that is known well.
        seeds: variance and degrees of freedom of each other part.
    """
    variance = items + sum(part for part, _ in seeds)
    if not value or not variance:
        return bool(value)
    uncertain = sum(part**2 / freedom for part, freedom in seeds)
    freedom = variance**2 / uncertain if uncertain else float("inf")
    needed = sum(stats.t.ppf([(1 + LEVEL) / 2, POWER], freedom))
    return bool(abs(value) >= needed * variance**0.5)


def _least(
    of: Literal["seeds", "items"], low: int, high: int, enough: Callable[[int], bool]
) -> Needed:
    """The least number that is enough, by bisection between one that is not and one that is."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return Needed(of, number=high)
