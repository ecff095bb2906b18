"""Intervals that count seeds and test items: a hierarchical bootstrap of micro F1.

What is estimated is the F1 that a system has on average over seeds and over test sets of this
kind: the mean over seeds, as it stands in tables. In every draw

1. the **test items** are drawn with replacement, the same ones for all runs, which is the paired
   bootstrap (Koehn, EMNLP 2004; Efron and Tibshirani, 1993, chapter 13). What seeds make of items
   (the interaction) would be counted twice, by items and by seeds (three times by drawing both:
   Owen, Annals of Applied Statistics 1(2), 2007), so that the deviations are shrunk to the variance
   of the items alone (`suite.uncertainty.components`).
2. the **seeds** deviate by a normal number of their own variance, which is drawn as well. Two to
   five seeds cannot be resampled: draws from n have (n - 1)/n of the variance (Davison and Hinkley,
   1997, section 3.8), and say nothing of how little is known of it.

How that variance is drawn was chosen by theory. The mean of a few normal seeds alone has Student's
t with n - 1 degrees of freedom, which is a variance of (n - 1) s^2 / chi^2(n - 1). Beside a part
that is known better (items), the problem is that of Behrens and Fisher: drawing each variance so is
known to be conservative (Robinson, Annals of Statistics 4(5), 1976), and the degrees of freedom of
Satterthwaite (Biometrics Bulletin 2, 1946) are liberal where a part has two. Between them lies a
prior under which the interval covers what it says to the second order (after Ghosh and Kim,
Canadian Journal of Statistics 29(1), 2001); in terms of the variances v of the parts it is
sum(v) / prod(v^2), a form that was not read again in the paper. Its posterior is a mixture: one
part, chosen with its share of the estimated variance as probability, is drawn with its degrees of
freedom, and the other with two more. To the first order in 1/(n - 1), the ends of the interval are
those of Welch (Biometrika 34, 1947), which was checked. Seeds of two systems that are not paired
make one part, with Satterthwaite's degrees of freedom, as in Welch's test of two means. No constant
was fitted to the coverage, which `tests/suite/uncertainty/coverage.py` measures; how degrees of
freedom are counted was settled with such measurements at hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int

from suite.uncertainty.components import Components, components
from suite.uncertainty.resampling import Resampled, resample

LEVEL = 0.95
"""Coverage of every interval."""

Contrast: TypeAlias = Sequence[Float[np.ndarray, "_seeds runs"]]
"""What is estimated: for each set of seeds, a row for each seed that says how the runs count."""


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds of F1, or the difference of two, with its 95 % interval.

    Attributes:
        value: F1, or first minus second, as a share.
        low, high: ends of the interval, likewise.
        p: two-sided, against 0; None for the F1 of one system, and where a system has one seed,
            whose spread nothing tells.
        components: the estimated variance by its source.
    """

    value: float
    low: float
    high: float
    p: float | None
    components: Components

    @property
    def counts_seeds(self) -> bool:
        """Whether the interval counts the seeds' part; with one seed it is over items alone."""
        return self.components.counts_seeds

    @property
    def is_tie(self) -> bool:
        """Whether the interval holds 0."""
        return self.low <= 0 <= self.high

    def reversed(self) -> Estimate:
        """The second system minus the first."""
        return replace(self, value=0 - self.value, low=0 - self.high, high=0 - self.low)


def mean_f1(sample: Resampled, runs: Sequence[int]) -> Estimate:
    """One system's F1.

    Args:
        sample: the runs with the drawn test sets.
        runs: which of them are the system's, one for each seed.
    """
    found = _estimate(sample, [_rows(sample, runs)])
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high), p=None)


def difference(
    sample: Resampled, first: Sequence[int], second: Sequence[int], *, paired: bool
) -> Estimate:
    """The F1 of the first system minus that of the second; paired over test items always.

    Args:
        sample: the runs with the drawn test sets.
        first: which of them are the first system's.
        second: which are the second's.
        paired: whether the n-th run of the one has the seed of the n-th of the other; otherwise
            the seeds of the two are taken as independent.

    Raises:
        ValueError: paired runs are not equally many.
    """
    ours, theirs = _rows(sample, first), _rows(sample, second)
    if not paired:
        return _estimate(sample, [ours, -theirs])
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} and {len(theirs)} runs are no pairs")
    return _estimate(sample, [ours - theirs])


def f1_interval(counts: Int[np.ndarray, "items 3"]) -> tuple[float, float]:
    """The interval of one run's micro F1, over test items alone.

    Args:
        counts: correct, predicted and gold of each test item.
    """
    found = mean_f1(resample(counts[None]), [0])
    return found.low, found.high


def _rows(sample: Resampled, runs: Sequence[int]) -> Float[np.ndarray, "seeds runs"]:
    return np.eye(len(sample.f1))[list(runs)]


def _estimate(sample: Resampled, contrast: Contrast) -> Estimate:
    parts = components(
        [rows @ sample.f1 for rows in contrast], [rows @ sample.influence for rows in contrast]
    )
    weights = np.sum([rows.mean(axis=0) for rows in contrast], axis=0)
    value = float(weights @ sample.f1)
    rng = np.random.default_rng([sample.seed, 1])  # another stream than that of the items
    seeds, stretch = _seed_deviations(parts, rng, len(sample.drawn))
    items = _kept(parts) * stretch * (sample.drawn @ weights - value)
    # Each seeds' deviation stands with both signs: swapping two systems then mirrors all draws.
    draws = value + np.concatenate([items + seeds, items - seeds])
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    p = _two_sided(draws) if parts.counts_seeds else None
    return Estimate(value, float(low), float(high), p, parts)


def _two_sided(draws: Float[np.ndarray, " draws"]) -> float:
    """Twice the smaller share on either side of 0 (Davison and Hinkley, 1997, equation 4.11)."""
    tail = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (len(draws) + 1))


def _kept(parts: Components) -> float:
    """By what the items' deviations are multiplied to have the variance of the items' part."""
    drawn = (parts.items + parts.interaction) * (parts.size - 1) / parts.size
    return float(np.sqrt(parts.items / drawn)) if drawn else 0.0


def _seed_deviations(
    parts: Components, rng: np.random.Generator, samples: int
) -> tuple[Float[np.ndarray, " samples"], Float[np.ndarray, " samples"]]:
    """Deviations of the mean by its seeds, and by what those of the items are multiplied.

    From the mixture that the module's text derives.
    """
    shares = np.array([parts.between_seeds, parts.items])
    own = rng.choice(2, size=samples, p=shares / parts.total if parts.total else None)
    seeds = drawn_stretch(rng, parts.freedom, own == 0)
    items = drawn_stretch(rng, parts.items_freedom, own == 1)
    return parts.between_seeds**0.5 * seeds * rng.standard_normal(samples), items


def drawn_stretch(
    rng: np.random.Generator, freedom: float, own: Bool[np.ndarray, " samples"]
) -> Float[np.ndarray, " samples"]:
    """By what a standard error is multiplied once its variance is drawn.

    Args:
        rng: draws it.
        freedom: degrees of freedom of the estimated variance.
        own: in which draws it has these; in the others it has two more.
    """
    drawn: Float[np.ndarray, " samples"]
    drawn = np.sqrt(freedom / rng.chisquare(np.where(own, freedom, freedom + 2)))
    return drawn
