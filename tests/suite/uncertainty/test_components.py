"""Components of variance, against their definitions written out and against what was simulated."""

from __future__ import annotations

import numpy as np
import pytest

from suite.uncertainty.components import components
from tests.suite.uncertainty.simulated import Spread, f1_by_item

SPREAD = Spread(seeds=0.02, items=0.1, interaction=0.05)


def drawn(seed: int, seeds: int, items: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return f1_by_item(rng, SPREAD, rng.standard_normal(seeds), rng.standard_normal(items))


def split(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the seeds, and the items' influences on them."""
    scores = values.mean(axis=1)
    return scores, values - scores[:, None]


def test_against_the_analysis_of_variance_written_out() -> None:
    values = drawn(1, 4, 30)
    n, m = values.shape
    grand = values.mean()
    rows, columns = values.mean(axis=1), values.mean(axis=0)
    seeds = m * sum((row - grand) ** 2 for row in rows) / (n - 1)
    items = n * sum((column - grand) ** 2 for column in columns) / (m - 1)
    both = sum(
        (values[s, i] - rows[s] - columns[i] + grand) ** 2 for s in range(n) for i in range(m)
    ) / ((n - 1) * (m - 1))
    scores, influences = split(values)
    found = components([scores], [influences])
    assert found.between_seeds == pytest.approx(seeds / (n * m))
    assert found.interaction == pytest.approx(both / (n * m))
    assert found.items == pytest.approx((items - both) / (n * m))
    assert found.total == pytest.approx((seeds + items - both) / (n * m))


def test_the_estimate_is_the_variance_of_a_mean_of_known_components() -> None:
    n, m = 3, 40
    known = SPREAD.seeds**2 / n + SPREAD.items**2 / m + SPREAD.interaction**2 / (n * m)
    sets = [drawn(seed, n, m) for seed in range(2_000)]
    found = [components(*[[part] for part in split(values)]) for values in sets]
    assert np.mean([f.total for f in found]) == pytest.approx(known, rel=0.04)
    assert np.var([values.mean() for values in sets]) == pytest.approx(known, rel=0.1)
    alone = np.mean([f.seeds[0].variance - f.seeds[0].interaction for f in found])
    assert alone == pytest.approx(SPREAD.seeds**2 / n, rel=0.08)
    assert np.mean([f.items for f in found]) == pytest.approx(SPREAD.items**2 / m, rel=0.04)


def test_a_constant_added_to_all_changes_nothing() -> None:
    scores, influences = split(drawn(3, 3, 20))
    found, moved = components([scores], [influences]), components([scores + 0.25], [influences])
    assert moved.total == pytest.approx(found.total)
    assert moved.interaction == pytest.approx(found.interaction)


def test_two_sets_of_seeds_add_up() -> None:
    """Their items are the same ones, so that only what differs between the systems counts."""
    values = drawn(4, 3, 20)
    scores, influences = split(values)
    found = components([scores, -scores[:2]], [influences, -influences[:2]])
    assert [part.seeds for part in found.seeds] == [3, 2]
    assert found.between_seeds == pytest.approx(
        np.var(scores, ddof=1) / 3 + np.var(scores[:2], ddof=1) / 2
    )
    assert found.items < components([scores], [influences]).items


def test_one_seed_tells_nothing_of_seeds() -> None:
    scores, influences = split(drawn(5, 1, 20))
    found = components([scores], [influences])
    assert not found.counts_seeds
    assert found.total == pytest.approx(np.var(influences, ddof=1) / 20)
    several = split(drawn(6, 3, 20))
    assert not components([several[0], -scores], [several[1], -influences]).counts_seeds


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a seed"):
        components([], [])
    with pytest.raises(ValueError, match="needs a seed"):
        components([np.zeros(0)], [np.zeros((0, 3))])
