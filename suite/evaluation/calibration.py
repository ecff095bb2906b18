"""Whether scores say how likely predictions are right, and what a threshold on them is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

BINS = 10
"""Of equal mass, into which predictions are put by their score."""
DRAWS = 200
"""Of outcomes, by which the error of perfectly calibrated scores is told."""


@dataclass(frozen=True)
class Graded:
    """The predictions of a split, the surest first.

    Attributes:
        score: of each, from 0 to 1.
        right: whether it is gold.
        example: the number of its example, from 0.
        examples: how many there are, those without predictions included.
    """

    score: Float[np.ndarray, " predictions"]
    right: Bool[np.ndarray, " predictions"]
    example: Int[np.ndarray, " predictions"]
    examples: int

    @property
    def varies(self) -> bool:
        """Whether scores tell predictions apart at all."""
        return len(self.score) > 0 and float(np.ptp(self.score)) > 0


def graded_of(rows: Sequence[Sequence[tuple[float, bool]]]) -> Graded:
    """The predictions of each example, as score and whether right, in one order."""
    flat = [(score, right, i) for i, row in enumerate(rows) for score, right in row]
    score = np.array([s for s, _, _ in flat], dtype=float)
    order = np.argsort(-score, kind="stable")
    return Graded(
        score[order],
        np.array([right for _, right, _ in flat], dtype=bool)[order],
        np.array([i for _, _, i in flat], dtype=np.int64)[order],
        len(rows),
    )


class Bin(NamedTuple):
    """Predictions of like scores.

    Attributes:
        score: their mean.
        precision: the share of them that is right.
        size: how many they are.
    """

    score: float
    precision: float
    size: int


def reliability(graded: Graded, bins: int = BINS) -> list[Bin]:
    """Predictions in bins of equal mass, the least sure first.

    Predictions of one score may stand in two bins.

    Args:
        graded: the predictions.
        bins: at most.
    """
    return [
        Bin(float(graded.score[p].mean()), float(graded.right[p].mean()), len(p))
        for p in _of_equal_mass(graded, bins)
    ]


def _of_equal_mass(graded: Graded, bins: int) -> list[Int[np.ndarray, " _"]]:
    """Places of predictions, the least sure first."""
    count = len(graded.score)
    return np.array_split(np.arange(count)[::-1], min(bins, count)) if count else []


def calibration_error(graded: Graded, bins: int = BINS) -> float:
    """The expected calibration error (Guo et al., ICML 2017, section 2), over bins of equal mass.

    The mean over predictions of the distance between the mean score of their bin and its precision.

    Args:
        graded: one prediction or more.
        bins: at most.
    """
    parts = reliability(graded, bins)
    return sum(b.size * abs(b.score - b.precision) for b in parts) / len(graded.score)


def error_of_perfect_scores(graded: Graded, bins: int = BINS, seed: int = 0) -> float:
    """The calibration error that chance alone would leave, were every score the true probability.

    The mean over drawn outcomes: a bin of few predictions seldom has its expected precision.

    Args:
        graded: whose scores are taken for true.
        bins: at most.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.random((DRAWS, len(graded.score))) < graded.score
    errors = sum(
        len(p) * np.abs(graded.score[p].mean() - drawn[:, p].mean(1))
        for p in _of_equal_mass(graded, bins)
    )
    return float(np.mean(errors / len(graded.score)))


class RiskCoverage(NamedTuple):
    """The share of wrong predictions among the surest ones, along their share of all.

    Attributes:
        coverage: from the first prediction's share to 1.
        risk: at each.
    """

    coverage: Float[np.ndarray, " predictions"]
    risk: Float[np.ndarray, " predictions"]

    @property
    def area(self) -> float:
        """The mean risk over all coverages; smaller where wrong predictions have lower scores."""
        return float(self.risk.mean())


def risk_coverage(graded: Graded) -> RiskCoverage:
    """Risk against coverage (El-Yaniv and Wiener, JMLR 2010) as ever less sure ones are kept.

    Predictions of one score are told apart by nothing: within them, wrong ones are spread evenly.

    Args:
        graded: one prediction or more.
    """
    count = len(graded.score)
    kept = np.arange(1, count + 1)
    wrong = np.cumsum(~graded.right)
    ends = np.flatnonzero(np.append(graded.score[1:] != graded.score[:-1], True))
    spread = np.interp(kept, np.append(0, ends + 1), np.append(0, wrong[ends]))
    return RiskCoverage(kept / count, spread / kept)


def best_area(graded: Graded) -> float:
    """The area were all right predictions surer than all wrong ones."""
    count, right = len(graded.right), int(graded.right.sum())
    kept = np.arange(1, count + 1)
    return float((np.maximum(0, kept - right) / kept).mean())


def threshold_for(graded: Graded, precision: float) -> float | None:
    """The lowest score from which upwards predictions are as precise; None where none is.

    Args:
        graded: of dev.
        precision: that is asked for, as a share.
    """
    if not len(graded.score):
        return None
    ends = np.flatnonzero(np.append(graded.score[1:] != graded.score[:-1], True))
    reached = np.cumsum(graded.right)[ends] / (ends + 1)
    fit = ends[reached >= precision]
    return float(graded.score[fit[-1]]) if len(fit) else None


def kept_parts(graded: Graded, threshold: float) -> Int[np.ndarray, "examples 2"]:
    """For each example the right predictions from a score upwards, and all of them."""
    kept = graded.score >= threshold
    counted = [
        np.bincount(graded.example[chosen], minlength=graded.examples)
        for chosen in (kept & graded.right, kept)
    ]
    return np.stack(counted, axis=1)


def best_f1(graded: Graded, gold: int) -> float:
    """The best F1 of any threshold, as a share; 0 where there is no prediction.

    Args:
        graded: the predictions.
        gold: how many gold items there are.
    """
    if not len(graded.score):
        return 0.0
    ends = np.flatnonzero(np.append(graded.score[1:] != graded.score[:-1], True))
    f1 = 2 * np.cumsum(graded.right)[ends] / (ends + 1 + gold)
    return float(f1.max())


def pooled(runs: Sequence[Graded]) -> Graded:
    """The predictions of several runs on one split, as of one."""
    score, right, example = (
        np.concatenate(parts)
        for parts in zip(*((g.score, g.right, g.example) for g in runs), strict=True)
    )
    order = np.argsort(-score, kind="stable")
    return Graded(score[order], right[order], example[order], max(g.examples for g in runs))
