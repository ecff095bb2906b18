"""Where the variance of a mean score comes from: seeds, test items, and both together.

A score is read as a sum of random effects, seeds crossed with items, since every seed of a system
answers the same test set:

    score of seed s on item i = mean + seed_s + item_i + interaction_si

so that the mean over n seeds and m items has the variance

    var(seed) / n + var(item) / m + var(interaction) / (n m).

Its parts are those of the two-way analysis of variance without repeats (Scheffe, The Analysis of
Variance, 1959, section 7.4); readers and cases stand likewise in studies of diagnosis (Hillis,
Statistics in Medicine 26, 2007), and seeds and samples in Bouthillier et al. (MLSys 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class SeedPart:
    """What the seeds of one set add to the variance of a mean over them.

    Attributes:
        seeds: their number, two or more.
        variance: sample variance between their scores, over their number; it holds the interaction.
        interaction: what of it comes from how seeds differ item by item.
    """

    seeds: int
    variance: float
    interaction: float

    @property
    def freedom(self) -> int:
        """Degrees of freedom of `variance`."""
        return self.seeds - 1

    @property
    def alone(self) -> float:
        """What no number of items would remove; 0 where the estimate is below."""
        return max(0.0, self.variance - self.interaction)


@dataclass(frozen=True)
class Components:
    """The variance of a mean score, or of the difference of two, by its source.

    Attributes:
        seeds: a part for each set of seeds; empty where a set has one seed, whose spread nothing
            tells.
        items: of the test items; without the interaction, which stands in `seeds`, but with it
            where `seeds` is empty.
        size: how many items there are.
    """

    seeds: tuple[SeedPart, ...]
    items: float
    size: int

    @property
    def counts_seeds(self) -> bool:
        """Whether the seeds' part is known."""
        return bool(self.seeds)

    @property
    def between_seeds(self) -> float:
        """The seeds' part."""
        return sum((part.variance for part in self.seeds), 0.0)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the seeds' part (Satterthwaite, Biometrics Bulletin 2, 1946)."""
        squares = sum(part.variance**2 / part.freedom for part in self.seeds)
        least = min((part.freedom for part in self.seeds), default=1)
        return self.between_seeds**2 / squares if squares else float(least)

    @property
    def items_freedom(self) -> float:
        """Those of the items' part, which is a difference of two mean squares; 1 at least.

        By the same formula; the interaction is known far better, and counts as exact.
        """
        over_items = self.items + self.interaction
        share = self.items / over_items if over_items else 0.0
        return max(1.0, (self.size - 1) * share**2)

    @property
    def interaction(self) -> float:
        """What of the seeds' part another test set changes."""
        return sum((part.interaction for part in self.seeds), 0.0)

    @property
    def total(self) -> float:
        """All of it."""
        return self.between_seeds + self.items


def components(
    scores: Sequence[Float[np.ndarray, " _seeds"]],
    influences: Sequence[Float[np.ndarray, "_seeds items"]],
) -> Components:
    """The components of a sum of means, each over a set of seeds of its own.

    The items' part is what is left of the variance over items once the interaction is taken off,
    and 0 where that is negative.

    Args:
        scores: of each seed, set by set: of a system, or differences of two that share their seeds.
        influences: of each item on each of these scores; over items they sum to 0.

    Raises:
        ValueError: there is no set, or an empty one.
    """
    if not scores or not all(len(several) for several in scores):
        raise ValueError("a mean needs a seed")
    size = influences[0].shape[1]
    mean_influence = np.sum([values.mean(axis=0) for values in influences], axis=0)
    over_items = float(np.square(mean_influence).sum()) / (size * max(1, size - 1))
    if min(map(len, scores)) < 2:
        return Components((), over_items, size)
    parts = tuple(map(_seed_part, scores, influences))
    left = over_items - sum(part.interaction for part in parts)
    return Components(parts, max(0.0, left), size)


def _seed_part(
    scores: Float[np.ndarray, " seeds"], influences: Float[np.ndarray, "seeds items"]
) -> SeedPart:
    seeds, size = influences.shape
    residuals = influences - influences.mean(axis=0)
    mean_square = float(np.square(residuals).sum()) / ((seeds - 1) * max(1, size - 1))
    variance = float(np.var(scores, ddof=1)) / seeds
    return SeedPart(seeds, variance, mean_square / (seeds * size))
