"""F1 on drawn test sets, against slow re-statements and against scipy."""

from __future__ import annotations

import random

import numpy as np
import pytest
from jaxtyping import TypeCheckError
from scipy import stats

from suite.uncertainty.bootstrap import f1_interval
from suite.uncertainty.resampling import influence, micro_f1, resample


def counts(seed: int, sentences: int = 80, skill: float = 0.6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    gold = np.random.default_rng(99).integers(1, 5, sentences)
    correct = rng.binomial(gold, skill)
    return np.stack([correct, correct + rng.integers(0, 3, sentences), gold], axis=1)


def f1(rows: list[tuple[int, int, int]]) -> float:
    correct = sum(row[0] for row in rows)
    total = sum(row[1] + row[2] for row in rows)
    return 2 * correct / total if total else 0.0


def test_drawn_test_sets_are_those_of_a_slow_restatement() -> None:
    """The definition read aloud: draw sentences one by one and score them."""
    run = counts(1)
    rng = random.Random(1)
    drawn = [rng.choices(range(len(run)), k=len(run)) for _ in range(4_000)]
    slow = [f1([tuple(run[i]) for i in places]) for places in drawn]
    found = resample(run[None])
    assert found.f1[0] == pytest.approx(f1(run.tolist()))
    assert found.drawn.mean() == pytest.approx(np.mean(slow), abs=0.003)
    assert found.drawn.std() == pytest.approx(np.std(slow), rel=0.06)


def test_one_runs_interval_agrees_with_scipy() -> None:
    run = counts(3, skill=0.7)
    reference = stats.bootstrap(
        (np.arange(len(run)),),
        lambda rows: float(micro_f1(run[rows].sum(0))),
        n_resamples=4_000,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    low, high = f1_interval(run)
    width = reference.high - reference.low
    assert (low, high) == pytest.approx(tuple(reference), abs=0.06 * width)


def test_influence_is_the_change_by_a_little_more_of_an_item() -> None:
    run = counts(5)
    size, little = len(run), 1e-6
    totals = run.sum(0).astype(float)
    for place in (0, 17, 79):
        correct, predicted, gold = totals + little * run[place]
        change = 2 * correct / (predicted + gold) - f1(run.tolist())
        assert influence(run[None])[0, place] == pytest.approx(size * change / little, abs=1e-4)
    assert influence(run[None]).sum() == pytest.approx(0, abs=1e-9)


def test_all_runs_see_the_same_drawn_test_sets() -> None:
    run, other = counts(1), counts(2)
    together = resample(np.stack([run, other, run]), samples=200)
    assert (together.drawn[:, 0] == together.drawn[:, 2]).all()
    assert (together.drawn[:, [1]] == resample(other[None], samples=200).drawn).all()


def test_chunks_and_keeping_do_not_change_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resample(counts(5)[None], samples=1_001).drawn
    assert (resample(counts(5)[None], samples=1_001).drawn == whole).all(), "as it was kept"
    monkeypatch.setattr("suite.uncertainty.resampling._CHUNK", 1_000)
    monkeypatch.setattr("suite.uncertainty.resampling._KEPT", 0)
    assert (resample(counts(5)[None], samples=1_001).drawn == whole).all()


def test_nothing_to_find_and_nothing_found_is_zero() -> None:
    found = resample(np.zeros((1, 4, 3), dtype=np.int64), samples=5)
    assert not found.f1.any()
    assert not found.drawn.any()
    assert not found.influence.any()


def test_no_items_are_refused() -> None:
    with pytest.raises(ValueError, match="no test item"):
        resample(np.zeros((1, 0, 3), dtype=np.int64))
    # Where shapes are checked at call, their checker refuses first.
    with pytest.raises((ValueError, TypeCheckError)):
        resample(np.zeros((2, 3), dtype=np.int64))
