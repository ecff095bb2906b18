"""Whether a curve still rises, against scipy's regression and by the rule's own words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from suite.uncertainty.trend import Trend, find_trend, last_epochs

NOISE = np.random.default_rng(0).normal(0, 0.002, (3, 30))


def curve(rise: float, run: int = 0) -> list[float]:
    """Thirty epochs, the last ten of which rise by so much a epoch."""
    return [*(0.5 + NOISE[run] + rise * np.clip(np.arange(30) - 20, 0, None))]


def test_one_run_is_scipys_regression() -> None:
    scores = curve(0.001)
    reference = stats.linregress(range(10), scores[-10:])
    half = stats.t.ppf(0.975, 8) * reference.stderr
    found = find_trend([scores])
    assert found is not None
    assert found.gain == pytest.approx(10 * reference.slope)
    assert (found.low, found.high) == pytest.approx(
        (10 * (reference.slope - half), 10 * (reference.slope + half))
    )


def test_several_runs_are_one_regression_with_a_level_for_each() -> None:
    runs = [[0.1 * place + score for score in curve(0.001, place)] for place in range(3)]
    design = np.zeros((30, 4))
    design[:, 0] = np.tile(np.arange(10), 3)
    for place in range(3):
        design[10 * place : 10 * place + 10, 1 + place] = 1
    scores = np.concatenate([run[-10:] for run in runs])
    coefficients, left, *_ = np.linalg.lstsq(design, scores, rcond=None)
    error = (left[0] / (30 - 4) * np.linalg.inv(design.T @ design)[0, 0]) ** 0.5
    found = find_trend(runs)
    assert found is not None
    assert found.gain == pytest.approx(10 * coefficients[0])
    assert found.high - found.gain == pytest.approx(10 * stats.t.ppf(0.975, 26) * error)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.02, "still rising"),
        (0.001, 0.009, "converged"),
        (-0.005, 0.009, "converged"),
        (-0.03, -0.02, "converged"),
        (-0.001, 0.011, "not told"),
    ],
)
def test_the_rule(low: float, high: float, verdict: str) -> None:
    assert Trend((low + high) / 2, low, high).verdict == verdict


def test_curves_that_rise_and_curves_that_do_not() -> None:
    rising, flat = find_trend([curve(0.004)]), find_trend([curve(0.0)])
    assert rising is not None
    assert flat is not None
    assert (rising.verdict, flat.verdict) == ("still rising", "converged")


def test_too_few_epochs_tell_nothing() -> None:
    assert [last_epochs(n) for n in (1, 3, 6, 7, 9, 30, 31)] == [1, 1, 2, 3, 3, 10, 11]
    assert find_trend([[0.1] * 6]) is None
    assert find_trend([[0.1] * 30, [0.1] * 6]) is None
    assert find_trend([]) is None
    assert find_trend([[0.5] * 7]) == Trend(0.0, 0.0, 0.0)


@given(st.floats(-0.5, 0.5), st.integers(0, 2))
def test_a_constant_added_to_all_changes_nothing(constant: float, run: int) -> None:
    scores = curve(0.002, run)
    found, moved = find_trend([scores]), find_trend([[s + constant for s in scores]])
    assert found is not None
    assert moved is not None
    assert (moved.low, moved.high) == pytest.approx((found.low, found.high), abs=1e-9)
