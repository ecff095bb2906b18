"""The tests of significance, against slow re-statements and against scipy."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from scipy import stats

from suite.significance import (
    against_published,
    holm,
    micro_f1,
    paired_bootstrap,
    rank_correlation,
)


def counts(seed: int, sentences: int = 80, skill: float = 0.6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    gold = np.random.default_rng(99).integers(1, 5, sentences)
    correct = rng.binomial(gold, skill)
    return np.stack([correct, correct + rng.integers(0, 3, sentences), gold], axis=1)


def f1(rows: list[tuple[int, int, int]]) -> float:
    correct = sum(row[0] for row in rows)
    total = sum(row[1] + row[2] for row in rows)
    return 2 * correct / total if total else 0.0


def slow_bootstrap(a: np.ndarray, b: np.ndarray, samples: int) -> tuple[float, float, float]:
    """The definition read aloud: draw sentences one by one, score both, look at the order."""
    rng = random.Random(1)
    differences = []
    for _ in range(samples):
        drawn = [rng.randrange(len(a)) for _ in range(len(a))]
        differences.append(f1([tuple(a[i]) for i in drawn]) - f1([tuple(b[i]) for i in drawn]))
    differences.sort()
    below = sum(d <= 0 for d in differences)
    above = sum(d >= 0 for d in differences)
    p = min(1.0, 2 * (min(below, above) + 1) / (samples + 1))
    return differences[int(0.025 * samples)], differences[int(0.975 * samples)], p


@pytest.mark.parametrize("skill", [0.6, 0.65, 0.75])
def test_bootstrap_agrees_with_a_slow_restatement(skill: float) -> None:
    a, b = counts(1, skill=skill), counts(2)
    low, high, p = slow_bootstrap(a, b, 4_000)
    found = paired_bootstrap(a, b)
    assert found.difference == pytest.approx(f1(a.tolist()) - f1(b.tolist()))
    width = high - low
    assert found.low == pytest.approx(low, abs=0.06 * width)
    assert found.high == pytest.approx(high, abs=0.06 * width)
    assert found.p == pytest.approx(p, abs=0.03)


def test_bootstrap_interval_agrees_with_scipy() -> None:
    a, b = counts(3, skill=0.7), counts(4)

    def statistic(rows: np.ndarray) -> float:
        return float(micro_f1(a[rows].sum(0)) - micro_f1(b[rows].sum(0)))

    reference = stats.bootstrap(
        (np.arange(len(a)),),
        statistic,
        n_resamples=4_000,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    found = paired_bootstrap(a, b)
    width = reference.high - reference.low
    assert found.low == pytest.approx(reference.low, abs=0.06 * width)
    assert found.high == pytest.approx(reference.high, abs=0.06 * width)


rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
    min_size=1,
    max_size=30,
)


def arrays(drawn: list[tuple[int, int, int, int]]) -> tuple[np.ndarray, np.ndarray]:
    a = np.array([(min(c, g), c + 1, g) for c, _, g, _ in drawn])
    b = np.array([(min(c, g), c + e, g) for _, c, g, e in drawn])
    return a, b


@settings(max_examples=40, deadline=None)
@given(rows)
def test_a_system_does_not_differ_from_itself(drawn: list[tuple[int, int, int, int]]) -> None:
    a, _ = arrays(drawn)
    assert paired_bootstrap(a, a, samples=200) == (0.0, 0.0, 0.0, 1.0)


@settings(max_examples=40, deadline=None)
@given(rows, st.integers(0, 5))
def test_swapping_the_systems_turns_the_sign(
    drawn: list[tuple[int, int, int, int]], seed: int
) -> None:
    a, b = arrays(drawn)
    forward = paired_bootstrap(a, b, samples=300, seed=seed)
    backward = paired_bootstrap(b, a, samples=300, seed=seed)
    assert forward.difference == pytest.approx(-backward.difference)
    assert (forward.low, forward.high) == pytest.approx((-backward.high, -backward.low))
    assert forward.p == backward.p


def test_p_values_are_uniform_where_nothing_differs() -> None:
    found = [
        paired_bootstrap(counts(s, 200), counts(s + 1_000, 200), samples=400).p for s in range(200)
    ]
    below = np.mean(np.array(found) < 0.1)
    assert 0.04 <= below <= 0.18, f"{below:.0%} of the p-values of equal systems lie below 0.1"


def test_chunks_do_not_change_the_shape_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = counts(5, skill=0.65), counts(6)
    whole = paired_bootstrap(a, b, samples=1_001)
    monkeypatch.setattr("suite.significance._CHUNK", 100)
    assert paired_bootstrap(a, b, samples=1_001) == whole


def test_unpaired_counts_are_refused() -> None:
    # Where shapes are checked at call, their checker refuses the pair first.
    with pytest.raises((ValueError, TypeCheckError)):
        paired_bootstrap(counts(1, 10), counts(1, 11))
    with pytest.raises(ValueError, match="not pairs"):
        paired_bootstrap(counts(1)[:0], counts(1)[:0])


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_against_published_by_hand() -> None:
    found = against_published([72.0, 73.0, 74.0], 75.0)
    # t = -2 / (1 / sqrt(3)) = -3.4641 with 2 degrees of freedom; t_0.975 = 4.3027.
    assert found.difference == pytest.approx(-2.0)
    assert (found.low, found.high) == pytest.approx((-2 - 2.4842, -2 + 2.4842), abs=1e-3)
    assert found.p == pytest.approx(0.0742, abs=1e-4)
    assert np.isnan(against_published([73.0, 73.0, 73.0], 75.0).p)
    with pytest.raises(ValueError, match="needs three"):
        against_published([73.0, 74.0], 75.0)


TIED = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12)


@given(TIED)
@settings(max_examples=60, deadline=None)
def test_rank_correlation_is_kendalls_tau_b(pairs: list[tuple[int, int]]) -> None:
    one, other = zip(*pairs, strict=True)
    found = rank_correlation(one, other, samples=20)
    expected = stats.kendalltau(one, other, variant="b").statistic
    assert found.tau == pytest.approx(expected, nan_ok=True)


def test_the_interval_of_a_rank_correlation_is_that_of_scipys_bootstrap() -> None:
    rng = np.random.default_rng(4)
    one = rng.normal(size=15)
    other = one + rng.normal(size=15)
    found = rank_correlation(list(one), list(other))
    low, high = stats.bootstrap(
        (one, other),
        lambda a, b: stats.kendalltau(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=1000,
        method="percentile",
        rng=np.random.default_rng(5),
    ).confidence_interval
    assert found.low == pytest.approx(low, abs=0.06)
    assert found.high == pytest.approx(high, abs=0.06)
    assert found.low < found.tau < found.high
    assert rank_correlation(list(one), list(other)) == found, "equal seeds, equal draws"


def test_an_order_and_its_reverse() -> None:
    rising = [0.1, 0.2, 0.4, 0.5]
    assert rank_correlation(rising, rising) == (1, 1, 1)
    assert rank_correlation(rising, rising[::-1]) == (-1, -1, -1)
    assert rank_correlation(rising, rising).concordant == 1
    assert np.isnan(rank_correlation(rising, [0.3] * 4).tau)
    with pytest.raises(ValueError, match="not three pairs"):
        rank_correlation([1, 2], [1, 2])
