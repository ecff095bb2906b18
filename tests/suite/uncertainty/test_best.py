"""Who is best: shares that are known, and those of a pair."""

from __future__ import annotations

import numpy as np
import pytest

from suite.uncertainty.best import probability_best
from suite.uncertainty.bootstrap import difference
from suite.uncertainty.resampling import resample
from tests.suite.uncertainty.simulated import Spread, counts_of, f1_by_item


def sample_of(*means: float, seeds: int = 3):
    rng = np.random.default_rng(7)
    items, spread = rng.standard_normal(60), Spread(seeds=0.02)
    runs = [f1_by_item(rng, spread, rng.standard_normal(seeds), items) + m for m in means]
    return resample(counts_of(np.concatenate(runs)), samples=4_000)


def keyed(systems: int, seeds: int = 3) -> list[dict[int, int]]:
    return [{s: seeds * place + s for s in range(seeds)} for place in range(systems)]


def test_shares_sum_to_one_and_follow_the_systems() -> None:
    sample = sample_of(0.0, 0.05, -0.1)
    found = probability_best(sample, keyed(3))
    assert sum(found) == pytest.approx(1)
    assert found[1] > found[0] > found[2]
    turned = probability_best(sample, keyed(3)[::-1])
    assert turned[::-1] == pytest.approx(found, abs=0.03)


def test_equal_systems_share_alike() -> None:
    one = keyed(1)[0]
    assert probability_best(sample_of(0.0), [one, one, one]) == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("paired", [True, False])
def test_of_two_it_is_what_their_difference_says(paired: bool) -> None:
    sample = sample_of(0.0, 0.01)
    first, second = keyed(2)
    p = difference(sample, [*first.values()], [*second.values()], paired=paired).p
    other = second if paired else {f"file {key}": run for key, run in second.items()}
    best = probability_best(sample, [first, other])
    assert p is not None
    assert 2 * min(best) == pytest.approx(p, abs=0.04)
    assert 0.05 < p < 0.95, "else the comparison would show nothing"


def test_one_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="two seeds"):
        probability_best(sample_of(0.0, 0.1), [{0: 0, 1: 1}, {0: 3}])
