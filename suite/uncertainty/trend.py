"""Whether a score still rises at the end of training: the rule, and its constants.

A straight line is fitted by least squares through the dev F1 of the last third of the epochs, with
one slope for all seeds of a system and a level for each. Slope times the length of that third is
the **gain** that as many epochs more would bring if the score went on so, with Student's interval.

- *still rising*: the interval of the gain lies above 0, and reaches a point of F1 or more;
- *converged*: all of the interval lies below a point of F1 (a test of equivalence on the side that
  matters: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987);
- *not told*: neither, or fewer than three epochs in the third.

The noise of one epoch is taken as independent of the next one's. Under a learning rate that decays
to 0 a flat end says that this training has no more to give, not that a longer one would not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from suite.uncertainty.bootstrap import LEVEL

LAST = 1 / 3
"""Share of the epochs at the end that the slope is of."""
LEAST_EPOCHS = 3
"""In that share; a line through two points has no uncertainty."""
GAIN = 0.01
"""Of F1, a point: what a training that is called converged would surely not gain."""

Verdict = Literal["converged", "still rising", "not told"]


@dataclass(frozen=True)
class Trend:
    """The gain in F1 over as many epochs again as the slope is of, with its 95 % interval."""

    gain: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """By the rule of this module."""
        if self.high < GAIN:
            return "converged"
        return "still rising" if self.low > 0 else "not told"


def last_epochs(count: int) -> int:
    """How many of so many epochs the slope is of."""
    return math.ceil(count * LAST)


def find_trend(curves: Sequence[Sequence[float]]) -> Trend | None:
    """The trend at the end of training; None where a run has too few epochs for one.

    Args:
        curves: dev F1 after each epoch, as a share, for each seed of a system.
    """
    ends = [np.asarray(curve[-last_epochs(len(curve)) :], dtype=float) for curve in curves]
    if not ends or min(map(len, ends)) < LEAST_EPOCHS:
        return None
    epochs = np.concatenate([np.arange(len(end)) - (len(end) - 1) / 2 for end in ends])
    scores = np.concatenate([end - end.mean() for end in ends])
    squares = float(epochs @ epochs)
    slope = float(epochs @ scores) / squares
    freedom = len(scores) - len(ends) - 1
    left = float(np.square(scores - slope * epochs).sum()) / freedom
    length = float(np.mean([len(end) for end in ends]))
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * (left / squares) ** 0.5
    return Trend(slope * length, (slope - half) * length, (slope + half) * length)
