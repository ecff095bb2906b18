"""Runs of which it is known how seeds and test items vary, as counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ANSWERS = 1_000
"""Gold and predicted triples of an item: so many that rounding a share of them changes nothing."""
MEAN = 0.5
"""F1 of every simulated system, over all seeds and items there could be."""


@dataclass(frozen=True)
class Spread:
    """Standard deviations of F1: of seeds, of items, and of both together."""

    seeds: float
    items: float = 0.1
    interaction: float = 0.05


def counts_of(shares: np.ndarray) -> np.ndarray:
    """Counts of runs whose F1 on each item is given: runs x items x 3."""
    correct = np.clip(shares * ANSWERS, 0, ANSWERS).round().astype(np.int64)
    whole = np.full_like(correct, ANSWERS)
    return np.stack([correct, whole, whole], axis=-1)


def f1_by_item(
    rng: np.random.Generator,
    spread: Spread,
    seeds: np.ndarray,
    items: np.ndarray,
) -> np.ndarray:
    """F1 of a system on each item for each seed, from standard normal effects of either.

    Args:
        rng: draws the interaction.
        spread: what the effects are multiplied by.
        seeds: an effect of each seed.
        items: an effect of each item.
    """
    both = rng.standard_normal((len(seeds), len(items)))
    effects = spread.seeds * seeds[:, None] + spread.items * items + spread.interaction * both
    return np.asarray(MEAN + effects)


def mixed(rng: np.random.Generator, common: np.ndarray, correlation: float) -> np.ndarray:
    """Standard normal effects that have this correlation with the common ones."""
    own = rng.standard_normal(len(common))
    return np.asarray(correlation * common + np.sqrt(1 - correlation**2) * own)
