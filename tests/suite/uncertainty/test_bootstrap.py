"""Intervals that count seeds and items: limits that are known, symmetries, and marks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suite.uncertainty.bootstrap import Estimate, difference, mean_f1
from suite.uncertainty.resampling import Resampled, resample
from tests.suite.uncertainty.simulated import Spread, counts_of, f1_by_item
from tests.suite.uncertainty.test_resampling import counts


def sample_of(*runs: np.ndarray, samples: int = 2_000) -> Resampled:
    return resample(np.stack(runs), samples=samples)


def runs_of(seed: int, seeds: int, skill: float = 0.6) -> list[np.ndarray]:
    """Runs whose skill differs by seed."""
    skills = skill + 0.03 * np.random.default_rng(seed).standard_normal(seeds)
    return [counts(100 * seed + s, skill=float(skill)) for s, skill in enumerate(skills)]


def ends(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high


def test_the_estimate_is_the_mean_over_seeds_as_tables_have_it() -> None:
    sample = sample_of(*runs_of(1, 3))
    assert mean_f1(sample, [0, 1, 2]).value == pytest.approx(sample.f1.mean())


def test_seeds_alone_give_students_t() -> None:
    """Every item answered alike: what is left is a mean of three normal numbers."""
    shares = np.array([0.50, 0.53, 0.59])
    sample = resample(counts_of(np.repeat(shares[:, None], 20, axis=1)), samples=20_000)
    found = mean_f1(sample, [0, 1, 2])
    half = stats.t.ppf(0.975, 2) * shares.std(ddof=1) / 3**0.5
    assert found.high - found.value == pytest.approx(half, rel=0.05)
    assert found.value - found.low == pytest.approx(half, rel=0.05)
    assert difference(sample, [0, 1, 2], [0, 0, 0], paired=True).p == pytest.approx(
        2 * stats.t.sf((shares.mean() - 0.5) / (half / stats.t.ppf(0.975, 2)), 2), abs=0.02
    )


def test_equal_seeds_give_the_interval_over_items() -> None:
    run = counts(3)
    several, alone = sample_of(run, run, run), sample_of(run)
    found, expected = mean_f1(several, [0, 1, 2]), mean_f1(alone, [0])
    assert found.value == pytest.approx(expected.value)
    width = expected.high - expected.low  # the variance that stretches it is drawn anew
    assert ends(found) == pytest.approx(ends(expected), abs=0.02 * width)


def test_what_seeds_make_of_items_is_counted_once() -> None:
    """Without effects of seeds or items, each answer by chance: scores are means of all alike."""
    rng = np.random.default_rng(0)
    spread = Spread(seeds=0, items=0, interaction=0.1)
    found = []
    for _ in range(100):
        shares = f1_by_item(rng, spread, np.zeros(5), np.zeros(50))
        found.append(mean_f1(resample(counts_of(shares), samples=10), range(5)).components.total)
    # Items counted at 0 or more, and never below, adds a little.
    assert np.mean(found) == pytest.approx(0.1**2 / 250, rel=0.25)


def test_one_seed_is_marked_and_has_no_p_value() -> None:
    sample = sample_of(*runs_of(1, 3), *runs_of(2, 3, skill=0.9))
    for first, second, paired in (([0], [3], True), ([0, 1, 2], [3], False), ([0], [3, 4], False)):
        found = difference(sample, first, second, paired=paired)
        assert not found.counts_seeds
        assert found.p is None
        assert found.low < found.value < found.high
    assert difference(sample, [0, 1], [3, 4], paired=True).counts_seeds
    assert not mean_f1(sample, [0]).counts_seeds
    assert mean_f1(sample, [0, 1]).p is None, "the F1 of one system is not held against 0"


def test_one_seed_gives_the_paired_bootstrap_over_items() -> None:
    sample = sample_of(counts(1, skill=0.65), counts(2))
    found = difference(sample, [0], [1], paired=True)
    drawn = np.quantile(sample.drawn[:, 0] - sample.drawn[:, 1], [0.025, 0.975])
    # Eighty items are few enough for their variance to be uncertain: two per cent wider.
    assert (found.low, found.high) == pytest.approx(tuple(drawn), abs=0.03 * np.ptp(drawn))


@pytest.mark.parametrize("paired", [True, False])
def test_swapping_the_systems_mirrors_all(paired: bool) -> None:
    sample = sample_of(*runs_of(1, 3), *runs_of(2, 3, skill=0.65))
    forward = difference(sample, [0, 1, 2], [3, 4, 5], paired=paired)
    backward = difference(sample, [3, 4, 5], [0, 1, 2], paired=paired)
    assert ends(backward) == pytest.approx(ends(forward.reversed()))
    assert backward.p == forward.p


counted = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 3)), min_size=8, max_size=8
)


@settings(max_examples=40, deadline=None)
@given(st.lists(counted, min_size=4, max_size=4))
def test_intervals_hold_their_estimate_and_nothing_differs_from_itself(
    drawn: list[list[tuple[int, int, int]]],
) -> None:
    runs = np.array([[(min(c, g), min(c, g) + e, g) for c, e, g in run] for run in drawn])
    sample = resample(runs, samples=400)
    for found in (
        mean_f1(sample, [0, 1]),
        difference(sample, [0, 1], [2, 3], paired=True),
        difference(sample, [0, 1], [2, 3], paired=False),
    ):
        assert found.low - 1e-9 <= found.value <= found.high + 1e-9
    same = difference(sample, [0, 1], [0, 1], paired=True)
    assert ends(same) == (0, 0, 0)
    assert same.p == 1


def test_pairing_seeds_removes_what_they_share() -> None:
    rng = np.random.default_rng(4)
    seeds, items = np.array([-1.0, 0.2, 1.1]), rng.standard_normal(60)
    spread = Spread(seeds=0.05, items=0.1, interaction=0.01)
    shares = [f1_by_item(rng, spread, seeds, items) for _ in range(2)]
    sample = resample(counts_of(np.concatenate(shares)), samples=2_000)
    widths = [
        found.high - found.low
        for paired in (True, False)
        for found in [difference(sample, [0, 1, 2], [3, 4, 5], paired=paired)]
    ]
    assert widths[0] < widths[1] / 5


def test_unequally_many_runs_are_no_pairs() -> None:
    sample = sample_of(*runs_of(1, 3))
    with pytest.raises(ValueError, match="no pairs"):
        difference(sample, [0, 1], [2], paired=True)
