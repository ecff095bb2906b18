"""Holm's adjustment, the test against a published figure and Welch's of two means, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from suite.uncertainty.textbook import against_published, holm, mean_difference


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


def test_two_means_by_hand() -> None:
    found = mean_difference([5.0, 6.0, 7.0], [1.0, 2.0, 3.0])
    # Standard error sqrt(1/3 + 1/3) = 0.8165 with 4 degrees of freedom; t_0.975 = 2.7764.
    assert found.difference == pytest.approx(4.0)
    assert (found.low, found.high) == pytest.approx((4 - 2.2670, 4 + 2.2670), abs=1e-3)
    assert mean_difference([5.0, 5.0], [1.0, 1.0])[:3] == (4.0, 4.0, 4.0)
    with pytest.raises(ValueError, match="two of each"):
        mean_difference([5.0, 6.0], [1.0])
