"""Calibration, risk and coverage, and thresholds, against slow statements and by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.evaluation.calibration import (
    Graded,
    best_area,
    best_f1,
    calibration_error,
    error_of_perfect_scores,
    graded_of,
    kept_parts,
    pooled,
    reliability,
    risk_coverage,
    threshold_for,
)

ROWS = st.lists(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.7, 0.9]), st.booleans()), max_size=4),
    min_size=1,
    max_size=8,
)
SOME = ROWS.filter(any)


def drawn(count: int, *, off: float = 0.0, seed: int = 0) -> Graded:
    """Predictions whose scores are `off` above the probability by which they are right."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.1, 0.9, count)
    right = rng.random(count) < truth
    return graded_of([[(float(p + off), bool(r))] for p, r in zip(truth, right, strict=True)])


def flat(rows: list[list[tuple[float, bool]]]) -> list[tuple[float, bool]]:
    return [pair for row in rows for pair in row]


def test_perfectly_calibrated_scores_have_an_error_near_nothing() -> None:
    graded = drawn(40_000)
    assert calibration_error(graded) < 0.01
    assert calibration_error(graded) == pytest.approx(error_of_perfect_scores(graded), abs=0.005)


def test_scores_that_are_too_high_are_told_by_how_much() -> None:
    assert calibration_error(drawn(40_000, off=0.1)) == pytest.approx(0.1, abs=0.01)


def test_few_predictions_are_never_without_an_error() -> None:
    few = drawn(60)
    assert error_of_perfect_scores(few) > 0.05
    assert error_of_perfect_scores(few) > 5 * error_of_perfect_scores(drawn(40_000))


def test_error_by_hand() -> None:
    graded = graded_of([[(0.9, True), (0.7, False)], [(0.5, True), (0.3, False)]])
    # Two bins: (0.3 + 0.5) / 2 against 1/2, (0.7 + 0.9) / 2 against 1/2.
    assert calibration_error(graded, bins=2) == pytest.approx(0.5 * 0.1 + 0.5 * 0.3)
    assert [b.size for b in reliability(graded, bins=3)] == [2, 1, 1]


@given(SOME, st.integers(1, 12))
def test_bins_hold_every_prediction_once(rows: list[list[tuple[float, bool]]], bins: int) -> None:
    graded = graded_of(rows)
    found = reliability(graded, bins)
    sizes = [b.size for b in found]
    assert sum(sizes) == len(flat(rows))
    assert max(sizes) - min(sizes) <= 1
    assert all(less.score <= more.score + 1e-9 for less, more in pairwise(found))
    assert sum(b.size * b.precision for b in found) == pytest.approx(
        sum(right for _, right in flat(rows))
    )
    assert 0 <= calibration_error(graded, bins) <= 1


@given(SOME)
def test_risk_against_a_slow_statement(rows: list[list[tuple[float, bool]]]) -> None:
    curve = risk_coverage(graded_of(rows))
    pairs = sorted(flat(rows), reverse=True)
    for kept in range(1, len(pairs) + 1):
        last = pairs[kept - 1][0]
        surer = [right for score, right in pairs if score > last]
        equal = [right for score, right in pairs if score == last]
        wrong = surer.count(False) + equal.count(False) * (kept - len(surer)) / len(equal)
        assert curve.risk[kept - 1] == pytest.approx(wrong / kept)
        assert curve.coverage[kept - 1] == pytest.approx(kept / len(pairs))


@given(SOME)
def test_the_area_lies_between_the_best_order_and_the_worst(
    rows: list[list[tuple[float, bool]]],
) -> None:
    graded = graded_of(rows)
    best, area = best_area(graded), risk_coverage(graded).area
    turned = graded_of([[(1.0 if not right else 0.0, right) for _, right in row] for row in rows])
    assert best - 1e-9 <= area <= risk_coverage(turned).area + 1e-9
    sorted_by_truth = graded_of([[(float(right), right) for _, right in row] for row in rows])
    assert risk_coverage(sorted_by_truth).area == pytest.approx(best)


def test_a_better_order_has_a_smaller_area() -> None:
    rights = [True, True, False, True, False, False]
    areas = []
    for swaps in range(4):
        order = sorted(rights, reverse=True)
        order[3 - swaps], order[3] = order[3], order[3 - swaps]
        scored = [[(1 - i / 10, right)] for i, right in enumerate(order)]
        areas.append(risk_coverage(graded_of(scored)).area)
    assert areas == sorted(areas)
    assert areas[0] < areas[-1]


@given(SOME, st.sampled_from([0.25, 0.5, 0.9, 1.0]))
def test_thresholds_against_a_slow_statement(
    rows: list[list[tuple[float, bool]]], goal: float
) -> None:
    found = threshold_for(graded_of(rows), goal)

    def precision(threshold: float) -> float:
        kept = [right for score, right in flat(rows) if score >= threshold]
        return sum(kept) / len(kept)

    fit = [score for score, _ in flat(rows) if precision(score) >= goal]
    assert found == (min(fit) if fit else None)


def test_no_prediction_has_no_threshold() -> None:
    assert threshold_for(graded_of([[], []]), 0.5) is None
    assert best_f1(graded_of([[], []]), gold=3) == 0
    assert not graded_of([[], []]).varies


@given(SOME, st.sampled_from([0.1, 0.6, 0.9]))
def test_what_a_threshold_keeps_of_each_example(
    rows: list[list[tuple[float, bool]]], threshold: float
) -> None:
    parts = kept_parts(graded_of(rows), threshold)
    expected = [
        [sum(r for s, r in row if s >= threshold), sum(s >= threshold for s, _ in row)]
        for row in rows
    ]
    assert parts.tolist() == expected


@given(SOME, st.integers(0, 5))
def test_the_best_f1_against_all_thresholds(
    rows: list[list[tuple[float, bool]]], missed: int
) -> None:
    graded = graded_of(rows)
    gold = sum(right for _, right in flat(rows)) + missed
    if not gold:
        return

    def f1(threshold: float) -> float:
        kept = [right for score, right in flat(rows) if score >= threshold]
        return 2 * sum(kept) / (len(kept) + gold)

    best = max(f1(score) for score, _ in flat(rows))
    assert best_f1(graded, gold) == pytest.approx(best)


@given(SOME)
def test_runs_join_as_one(rows: list[list[tuple[float, bool]]]) -> None:
    joined = pooled([graded_of(rows), graded_of(rows)])
    assert len(joined.score) == 2 * len(flat(rows))
    parts = kept_parts(joined, 0.5)
    assert (parts == 2 * kept_parts(graded_of(rows), 0.5)).all()
