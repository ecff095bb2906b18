"""The rank correlation, against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from suite.uncertainty.correlation import rank_correlation

TIED = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=12)


@given(TIED)
@settings(max_examples=60, deadline=None)
def test_rank_correlation_is_kendalls_tau_b(pairs: list[tuple[int, int]]) -> None:
    one, other = zip(*((float(a), float(b)) for a, b in pairs), strict=True)
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
        rank_correlation([1.0, 2.0], [1.0, 2.0])
