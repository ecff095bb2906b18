"""Intervals of shares, and of differences of differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.evaluation.intervals import (
    Interval,
    difference_of,
    share_difference,
    share_interval,
)


def parts(right: list[int], of: list[int]) -> np.ndarray:
    return np.stack([right, of], axis=1).astype(np.int64)


def test_a_share_of_single_items_has_the_interval_of_a_coin() -> None:
    found = share_interval(parts([1] * 200 + [0] * 200, [1] * 400))
    assert found.value == 0.5
    # 1.96 times the root of 0.25 / 400.
    assert (found.low, found.high) == pytest.approx((0.451, 0.549), abs=0.004)


def test_examples_are_drawn_and_not_items() -> None:
    """Ten items that are right or wrong together tell no more than one."""
    alone = share_interval(parts([1] * 20 + [0] * 20, [1] * 40))
    together = share_interval(parts([10] * 20 + [0] * 20, [10] * 40))
    assert together == alone


def test_equal_systems_do_not_differ() -> None:
    same = parts([1, 0, 2], [2, 1, 2])
    assert share_difference(same, same) == Interval(0.0, 0.0, 0.0)


def test_shares_differ_whatever_the_number_of_runs() -> None:
    one, three = parts([1, 0], [1, 1]), parts([3, 0], [3, 3])
    assert share_difference(one, three).value == 0


LIMITS = st.tuples(*[st.floats(0, 1)] * 3).map(sorted)


@given(LIMITS, LIMITS)
def test_a_difference_holds_that_of_the_values(first: list[float], second: list[float]) -> None:
    one, other = (Interval(values[1], values[0], values[2]) for values in (first, second))
    found = difference_of(one, other)
    assert found.low <= found.value <= found.high
    turned = difference_of(other, one)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_symmetric_intervals_add_as_variances_do() -> None:
    found = difference_of(Interval(0.8, 0.77, 0.83), Interval(0.5, 0.46, 0.54))
    assert found == pytest.approx((0.3, 0.25, 0.35))
