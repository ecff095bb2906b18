"""Measures how often the nominal 95 % interval holds the truth.

    python -m tests.suite.uncertainty.coverage [REPEATS]

Two systems of equal F1 answer the same test items; seeds, items and their interaction vary by known
amounts. Beside the hierarchical interval stand the one over items alone, which counts no seeds, and
the one of Satterthwaite's degrees of freedom on the same components.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from suite.uncertainty.bootstrap import Estimate, difference, mean_f1
from suite.uncertainty.resampling import Resampled, resample
from tests.suite.uncertainty.simulated import MEAN, Spread, counts_of, f1_by_item, mixed

ITEMS = 100
SAMPLES = 500
LIKE_ITEMS = 0.8
"""Correlation of the items' effects on two systems."""
LIKE_SEEDS = 0.5
"""Correlation of the effects of one seed on two systems."""
RATIOS = {"small": 0.1, "equal": 1.0, "large": 10.0}
"""Variance of one run's score by its seed, as a multiple of that by the test items."""


class Covered(NamedTuple):
    """Shares of intervals that held the truth, by method."""

    hierarchical: float
    items_alone: float
    satterthwaite: float


def simulate(rng: np.random.Generator, seeds: int, ratio: float) -> np.ndarray:
    """Counts of two systems with paired seeds, then of a third with seeds of its own."""
    spread = Spread(seeds=(ratio / ITEMS) ** 0.5 * Spread(0).items)
    items, paired = rng.standard_normal(ITEMS), rng.standard_normal(seeds)
    systems = [
        (paired, items),
        (mixed(rng, paired, LIKE_SEEDS), mixed(rng, items, LIKE_ITEMS)),
        (rng.standard_normal(seeds), mixed(rng, items, LIKE_ITEMS)),
    ]
    return counts_of(np.concatenate([f1_by_item(rng, spread, *effects) for effects in systems]))


def intervals(
    sample: Resampled, first: Sequence[int], found: Estimate, second: Sequence[int]
) -> Iterator[tuple[float, float]]:
    """The three intervals of one estimate."""
    drawn = sample.drawn[:, first].mean(axis=1)
    if second:
        drawn = drawn - sample.drawn[:, second].mean(axis=1)
    parts = found.components
    uncertain = sum(part.variance**2 / part.freedom for part in parts.seeds)
    half = stats.t.ppf(0.975, parts.total**2 / uncertain) * parts.total**0.5
    yield found.low, found.high
    yield float(np.quantile(drawn, 0.025)), float(np.quantile(drawn, 0.975))
    yield found.value - half, found.value + half


def coverage(seeds: int, ratio: float, repeats: int) -> dict[str, Covered]:
    """What is estimated -> the coverage of each method."""
    held: dict[str, list[list[bool]]] = {}
    ours, paired, unpaired = np.arange(3 * seeds).reshape(3, seeds).tolist()
    for repeat in range(repeats):
        rng = np.random.default_rng([repeat, seeds, int(1000 * ratio)])
        sample = resample(simulate(rng, seeds, ratio), samples=SAMPLES, seed=repeat)
        for name, truth, found, second in (
            ("one system", MEAN, mean_f1(sample, ours), []),
            ("paired", 0.0, difference(sample, ours, paired, paired=True), paired),
            ("unpaired", 0.0, difference(sample, ours, unpaired, paired=False), unpaired),
        ):
            ends = intervals(sample, ours, found, second)
            held.setdefault(name, []).append([low <= truth <= high for low, high in ends])
    return {name: Covered(*np.mean(several, axis=0)) for name, several in held.items()}


def table(repeats: int) -> Iterator[str]:
    """The lines of the measured table."""
    yield "| seeds | variance by seed | estimated | hierarchical | items alone | Satterthwaite |"
    yield "| ---: | --- | --- | ---: | ---: | ---: |"
    for seeds in (3, 5):
        for name, ratio in RATIOS.items():
            for what, covered in coverage(seeds, ratio, repeats).items():
                shares = " | ".join(f"{100 * share:.1f}" for share in covered)
                yield f"| {seeds} | {name} ({ratio:g}) | {what} | {shares} |"


if __name__ == "__main__":
    for line in table(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000):
        print(line, flush=True)
