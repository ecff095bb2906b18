"""What would settle a tie, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from suite.uncertainty.bootstrap import Estimate
from suite.uncertainty.components import Components, SeedPart
from suite.uncertainty.power import MOST_SEEDS, Needed, more_items, more_seeds


def tie(
    value: float,
    *,
    seeds: float = 0.0,
    interaction: float = 0.0,
    items: float = 0.0,
    n: int = 3,
    size: int = 1_000,
) -> Estimate:
    parts = (SeedPart(n, seeds, interaction),) if n > 1 else ()
    return Estimate(value, -1.0, 1.0, 0.5, Components(parts, items, size))


def test_seeds_by_hand() -> None:
    # One seed's variance 3: of n seeds t(0.975) + t(0.8) = 3.0 or so times sqrt(3 / n) must be 1.
    found = more_seeds(tie(1.0, seeds=1.0))
    assert found.number is not None
    enough = 3 + found.number

    def reached(n: int) -> bool:
        return bool(sum(stats.t.ppf([0.975, 0.8], n - 1)) * (3 / n) ** 0.5 <= 1)

    assert reached(enough)
    assert not reached(enough - 1)


def test_the_power_that_is_reached_is_the_one_that_was_asked_for() -> None:
    found = more_seeds(tie(1.0, seeds=1.0))
    assert found.number is not None
    drawn = np.random.default_rng(0).normal(1, 3**0.5, (20_000, 3 + found.number))
    power = (stats.ttest_1samp(drawn, 0, axis=1).pvalue < 0.05).mean()
    assert power == pytest.approx(0.8, abs=0.03)


def test_items_by_hand() -> None:
    # No seeds' part: (1.95996 + 0.84162)^2 = 7.8489 times the variance 1 must be 1.
    found = more_items(tie(1.0, items=1.0))
    assert found.number == 6_849


def test_more_items_may_be_worse_where_few_seeds_tell_of_the_rest() -> None:
    """What is left is known by one degree of freedom: this very test set is large enough."""
    found = tie(1.0, seeds=0.01, items=0.1, n=2)
    assert more_items(found) == Needed("items", number=0)
    assert more_items(tie(1.0, seeds=0.01, items=0.0, n=2)) == Needed("items")


def test_the_interaction_shrinks_with_items_too() -> None:
    only = more_items(tie(1.0, seeds=1.0, interaction=1.0))
    assert only.number == 6_849
    assert more_items(tie(1.0, seeds=1.0)).number is None


@pytest.mark.parametrize(
    ("found", "seeds", "items"),
    [
        (tie(1.0, items=1.0, n=1), Needed("seeds", told=False), Needed("items", told=False)),
        (tie(0.0, seeds=1.0, items=1.0), Needed("seeds"), Needed("items")),
        (tie(1.0, items=1.0), Needed("seeds"), Needed("items", number=6_849)),
        (tie(1.0, seeds=30.0), Needed("seeds", most=MOST_SEEDS), Needed("items")),
        (tie(0.1, items=0.3), Needed("seeds"), Needed("items", most=99_000)),
    ],
)
def test_what_no_number_would_settle(found: Estimate, seeds: Needed, items: Needed) -> None:
    assert more_seeds(found) == seeds
    assert more_items(found) == items
