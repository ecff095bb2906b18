"""The nominal 95 % interval covers about 95 %; `coverage.py` measures it at length."""

from __future__ import annotations

import pytest

from tests.suite.uncertainty.coverage import coverage

REPEATS = 300
TOLERANCE = 0.045
"""Of so few repeats: two points that a few seeds may cost, and two standard errors."""


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [0.1, 1.0, 10.0])
def test_intervals_cover_what_they_say(ratio: float) -> None:
    found = coverage(3, ratio, REPEATS)
    wrong = {name: c.hierarchical for name, c in found.items()}
    wrong = {name: share for name, share in wrong.items() if abs(share - 0.95) > TOLERANCE}
    assert not wrong, f"3 seeds, variance by seed {ratio:g} times that by items"


@pytest.mark.slow
def test_intervals_over_items_alone_do_not() -> None:
    """Else the simulation could not tell a method that counts seeds from one that does not."""
    found = coverage(3, 10.0, REPEATS)
    assert all(c.items_alone < 0.85 for c in found.values()), found
