"""Whether two measurements order the same things alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from suite.uncertainty.bootstrap import LEVEL


class Correlation(NamedTuple):
    """Kendall's tau-b with its 95 % interval; NaN where all values of one side are equal."""

    tau: float
    low: float
    high: float

    @property
    def concordant(self) -> float:
        """The share of pairs that both sides order alike, were there no ties."""
        return (1 + self.tau) / 2


def rank_correlation(
    one: Sequence[float], other: Sequence[float], samples: int = 2_000, seed: int = 0
) -> Correlation:
    """Whether two measurements order the same things alike: Kendall's tau-b (1945).

    The interval is the percentile interval of a bootstrap over the things (Efron and Tibshirani,
    1993, chapter 13). Samples in which all values of one side are equal order nothing, and are left
    out.

    Args:
        one: a value of each thing.
        other: another of each, in the same order.
        samples: how often the things are drawn, with replacement.
        seed: of the draws.

    Raises:
        ValueError: they are not as many, or fewer than three.
    """
    if len(one) != len(other) or len(one) < 3:
        raise ValueError(f"{len(one)} and {len(other)} values are not three pairs or more")
    a, b = np.sign(np.subtract.outer(one, one)), np.sign(np.subtract.outer(other, other))
    draws = np.random.default_rng(seed).integers(len(one), size=(samples, len(one)))
    every = _tau_b(a, b, np.arange(len(one))[None])
    drawn = _tau_b(a, b, draws)
    kept = drawn[~np.isnan(drawn)]
    if not len(kept):
        return Correlation(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(kept, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Correlation(float(every[0]), float(low), float(high))


def _tau_b(
    a: Float[np.ndarray, "things things"],
    b: Float[np.ndarray, "things things"],
    draws: Int[np.ndarray, "samples things"],
) -> Float[np.ndarray, " samples"]:
    """Tau-b of each sample, from the signs of all pairs' differences."""
    found: Float[np.ndarray, " samples"] = np.empty(len(draws))
    for i, drawn in enumerate(draws):
        x, y = a[np.ix_(drawn, drawn)], b[np.ix_(drawn, drawn)]
        untied = float(np.abs(x).sum() * np.abs(y).sum())
        found[i] = (x * y).sum() / np.sqrt(untied) if untied else np.nan
    return found
