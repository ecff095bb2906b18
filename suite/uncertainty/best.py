"""How probable it is that each of several systems is the best of them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from suite.uncertainty.bootstrap import drawn_stretch
from suite.uncertainty.resampling import SAMPLES, Resampled

SeedRuns: TypeAlias = Mapping[Hashable, int]
"""A system's runs: what a run is paired by (its seed) -> its place among the runs."""

_EQUAL = 1e-7
"""Below it, two drawn F1s differ by rounding alone: that of a root of a matrix."""


def probability_best(
    sample: Resampled, systems: Sequence[SeedRuns], samples: int = SAMPLES
) -> list[float]:
    """The share of draws in which a system has the highest F1, of equal ones in equal parts.

    Drawn is what `suite.uncertainty.bootstrap` draws for a pair, for all systems at once: items
    from a normal distribution with the covariance of the items' parts, and seeds by deviations that
    systems with the same seeds share. The seeds' variance is drawn once for all
    systems, by its share in the differences of all pairs; for two systems that is what their
    difference has.

    Args:
        sample: the runs.
        systems: two runs or more of each; equal keys are one seed.
        samples: how often is drawn.

    Raises:
        ValueError: a system has fewer than two runs.
    """
    if any(len(runs) < 2 for runs in systems):
        raise ValueError("the spread between seeds needs two seeds of each system")
    rng = np.random.default_rng([sample.seed, 2])
    means = np.array([sample.f1[list(runs.values())].mean() for runs in systems])
    items = _items_covariance(sample, systems)
    seeds = _seed_deviations(sample, systems)
    drawn = means + rng.standard_normal((samples, len(systems))) @ _root(items)
    drawn += _drawn_seeds(seeds, items, systems, rng, samples)
    best = drawn >= drawn.max(axis=1, keepdims=True) - _EQUAL
    return [float(share) for share in (best / best.sum(axis=1, keepdims=True)).mean(axis=0)]


def _items_covariance(
    sample: Resampled, systems: Sequence[SeedRuns]
) -> Float[np.ndarray, "systems systems"]:
    """Of the systems' means over test sets; the interaction of seeds and items taken off."""
    size = sample.items
    of_each = [sample.influence[list(runs.values())] for runs in systems]
    means = np.stack([influence.mean(axis=0) for influence in of_each])
    found = means @ means.T / (size * max(1, size - 1))
    for a, (ours, left) in enumerate(zip(systems, of_each, strict=True)):
        for b, (theirs, right) in enumerate(zip(systems, of_each, strict=True)):
            if ours.keys() == theirs.keys():
                order = [list(theirs).index(key) for key in ours]
                residuals = (left - means[a]) * (right[order] - means[b])
                mean_product = residuals.sum() / ((len(ours) - 1) * max(1, size - 1))
                found[a, b] -= mean_product / (len(ours) * size)
    return found


def _seed_deviations(
    sample: Resampled, systems: Sequence[SeedRuns]
) -> Float[np.ndarray, "systems seeds"]:
    """Each system's deviations from its mean, scaled so that their squares sum to its variance."""
    keys = list(dict.fromkeys(key for runs in systems for key in runs))
    found = np.zeros((len(systems), len(keys)))
    for place, runs in enumerate(systems):
        scores = sample.f1[list(runs.values())]
        scaled = (scores - scores.mean()) / np.sqrt(len(runs) * (len(runs) - 1))
        found[place, [keys.index(key) for key in runs]] = scaled
    return found


def _drawn_seeds(
    deviations: Float[np.ndarray, "systems seeds"],
    items: Float[np.ndarray, "systems systems"],
    systems: Sequence[SeedRuns],
    rng: np.random.Generator,
    samples: int,
) -> Float[np.ndarray, "samples systems"]:
    """Seeds' deviations, with one drawn variance for all systems."""
    sets = [frozenset(runs) for runs in systems]
    distinct = list(dict.fromkeys(sets))
    spread = np.array([_between(deviations * [[s == one] for s in sets]) for one in distinct])
    drawn: Float[np.ndarray, "samples systems"]
    drawn = rng.standard_normal((samples, deviations.shape[1])) @ deviations.T
    if not spread.any():
        return drawn
    freedom = spread.sum() ** 2 / (spread**2 / [len(one) - 1 for one in distinct]).sum()
    own = rng.random(samples) < spread.sum() / (spread.sum() + _contrasts(items))
    return drawn * drawn_stretch(rng, float(freedom), own)[:, None]


def _between(deviations: Float[np.ndarray, "systems seeds"]) -> float:
    return _contrasts(deviations @ deviations.T)


def _contrasts(covariance: Float[np.ndarray, "systems systems"]) -> float:
    """Variance of the differences of all pairs, summed, up to a factor; never negative."""
    return max(0.0, float(np.trace(covariance) - covariance.mean() * len(covariance)))


def _root(covariance: Float[np.ndarray, "systems systems"]) -> Float[np.ndarray, "systems systems"]:
    """The symmetric square root of the nearest covariance matrix."""
    values, vectors = np.linalg.eigh(covariance)
    root: Float[np.ndarray, "systems systems"]
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return root
