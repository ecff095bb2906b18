"""Whether a difference between two systems, or to a published figure, is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

LEVEL = 0.95
"""Coverage of every interval of this module."""

_CHUNK = 2**21
"""Drawn multiplicities held at once."""

Counts = Int[np.ndarray, "examples 3"]
"""For each test example: correct, predicted, gold."""


class Difference(NamedTuple):
    """A difference with its 95 % interval and two-sided p-value.

    `p` is NaN where it is not defined: equal values have no spread to test against.
    """

    difference: float
    low: float
    high: float
    p: float


def micro_f1(totals: Int[np.ndarray, "*samples 3"]) -> Float[np.ndarray, "*samples"]:
    """Micro F1 of summed correct, predicted and gold; 0 where there is nothing to find or found."""
    correct, predicted, gold = np.moveaxis(totals, -1, 0)
    found = predicted + gold
    f1: Float[np.ndarray, "*samples"] = np.zeros(found.shape)
    np.divide(2.0 * correct, found, out=f1, where=found > 0)
    return f1


def paired_bootstrap(
    counts_a: Counts, counts_b: Counts, samples: int = 10_000, seed: int = 0
) -> Difference:
    """Paired bootstrap over test examples of the difference in micro F1, `a` minus `b`.

    Each sample draws as many examples as there are, with replacement, the same ones for both
    systems (Koehn, EMNLP 2004; Efron and Tibshirani, 1993, chapter 13). The interval is the
    percentile interval; p is twice the smaller share of samples on either side of 0, the observed
    one counted in (Davison and Hinkley, 1997, equation 4.11), so that it is never 0.

    Examples with equal counts cannot be told apart by F1, so a sample is drawn as how often each
    distinct row of counts occurs: the same distribution at a fraction of the draws.

    Args:
        counts_a: correct, predicted and gold of each test example.
        counts_b: the same of the other system, for the same examples in the same order.
        samples: how often the test set is drawn.
        seed: of the draws; equal seeds give equal results.

    Raises:
        ValueError: the two do not cover the same number of examples, or none.
    """
    if counts_a.shape != counts_b.shape or not len(counts_a):
        raise ValueError(f"counts of shapes {counts_a.shape} and {counts_b.shape} are not pairs")
    observed = float(micro_f1(counts_a.sum(0)) - micro_f1(counts_b.sum(0)))
    rows, first, multiplicity = np.unique(
        np.hstack([counts_a, counts_b]), axis=0, return_index=True, return_counts=True
    )
    # Rows in order of first occurrence: swapping the systems must not change what is drawn.
    order = np.argsort(first)
    rows, shares = rows[order], multiplicity[order] / len(counts_a)
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // len(rows))
    differences = np.empty(samples)
    for start in range(0, samples, step):
        size = min(step, samples - start)
        totals = rng.multinomial(len(counts_a), shares, size=size) @ rows
        differences[start : start + size] = micro_f1(totals[:, :3]) - micro_f1(totals[:, 3:])
    tail = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(observed, float(low), float(high), min(1.0, 2 * (tail + 1) / (samples + 1)))


def f1_interval(counts: Counts) -> tuple[float, float]:
    """The interval of one system's micro F1 over test sets, drawn as in `paired_bootstrap`.

    Args:
        counts: correct, predicted and gold of each test example.
    """
    found = paired_bootstrap(counts, np.zeros_like(counts))  # the F1 of nothing is 0
    return found.low, found.high


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
