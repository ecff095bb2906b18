"""The rules of verdicts, as properties of intervals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.claims.verdict import (
    VERDICTS,
    Ground,
    Measured,
    judge_above,
    judge_alike,
    judge_count,
    judge_level,
    weakest,
)

NUMBERS = st.floats(-50, 50)
GROUNDS = st.builds(Ground, st.sampled_from([(), ("other data",)]), one_sided=st.booleans())
OTHER = Ground(("other data",))


@st.composite
def intervals(draw: st.DrawFn) -> Measured:
    low, value, high = sorted(draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)))
    over = draw(st.sampled_from(["seeds and examples", "seeds", "examples", "one run"]))
    return Measured(value, low, high, over)


def over(low: float, high: float) -> Measured:
    return Measured((low + high) / 2, low, high, "seeds and examples")


@pytest.mark.parametrize(
    ("low", "high", "printed", "verdict"),
    [
        (0.1, 5, 3, "holds"),
        (4, 5, 3, "holds"),
        (0.1, 2, 3, "holds in direction"),
        (0.1, 2, None, "holds"),
        (-0.1, 5, 3, "cannot be told here"),
        (-5, -0.1, 3, "does not hold"),
    ],
)
def test_a_difference(low: float, high: float, printed: float | None, verdict: str) -> None:
    assert judge_above(over(low, high), 0, printed) == verdict


@given(intervals(), NUMBERS, st.none() | NUMBERS, GROUNDS, st.floats(0, 20))
def test_a_higher_interval_is_never_worse_for_a_claim(
    found: Measured, bound: float, printed: float | None, ground: Ground, more: float
) -> None:
    higher = replace(found, low=found.low + more, high=found.high + more)
    verdicts = [judge_above(one, bound, printed, ground) for one in (found, higher)]
    assert VERDICTS.index(verdicts[0]) <= VERDICTS.index(verdicts[1]) or ground.one_sided


@given(intervals(), NUMBERS, st.none() | NUMBERS, GROUNDS, st.floats(0, 20))
def test_a_wider_interval_tells_no_new_direction(
    found: Measured, bound: float, printed: float | None, ground: Ground, more: float
) -> None:
    wider = replace(found, low=found.low - more, high=found.high + more)
    verdict = judge_above(wider, bound, printed, ground)
    if verdict == "does not hold":
        assert judge_above(found, bound, printed, ground) == verdict
    if verdict.startswith("holds"):
        assert judge_above(found, bound, printed, ground).startswith("holds")


@given(intervals(), NUMBERS, st.floats(0.1, 20), GROUNDS)
def test_one_seed_tells_nothing(
    found: Measured, bound: float, within: float, ground: Ground
) -> None:
    for what in ("examples", "one run"):
        one = replace(found, over=what)
        assert judge_above(one, bound, None, ground) == "cannot be told here"
        assert judge_alike(one, within, ground) == "cannot be told here"
        assert judge_level(one, bound, ground) == "cannot be told here"


@given(intervals(), NUMBERS, st.floats(0.1, 20))
def test_other_conditions_confirm_no_size(found: Measured, bound: float, within: float) -> None:
    assert judge_above(found, bound, bound, OTHER) != "holds"
    assert judge_alike(found, within, OTHER) != "holds"
    assert judge_level(found, bound, OTHER) == "cannot be told here"


@given(intervals(), NUMBERS, st.floats(0.1, 20))
def test_a_stand_in_on_one_side_refutes_nothing(
    found: Measured, bound: float, within: float
) -> None:
    ground = replace(OTHER, one_sided=True)
    assert judge_above(found, bound, None, ground) != "does not hold"
    assert judge_alike(found, within, ground) != "does not hold"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.9, 0.9, "holds"),
        (1.1, 2, "does not hold"),
        (-2, -1.1, "does not hold"),
        (0.5, 1.5, "cannot be told here"),
    ],
)
def test_nearly_the_same(low: float, high: float, verdict: str) -> None:
    assert judge_alike(over(low, high), 1.0) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (70, 75, "holds"),
        (80, 85, "holds"),
        (69, 72, "does not hold"),
        (60, 80, "cannot be told here"),
    ],
)
def test_a_level(low: float, high: float, verdict: str) -> None:
    assert judge_level(over(low, high), 73.8) == verdict


def test_a_count() -> None:
    assert judge_count(1_100, 1_092) == "holds"
    assert judge_count(1_110, 1_092) == "does not hold"


def test_one_part_refutes_a_claim_and_one_leaves_it_open() -> None:
    assert weakest(["holds", "does not hold", "cannot be told here"]) == "does not hold"
    assert weakest(["holds", "cannot be told here"]) == "cannot be told here"
    assert weakest(["holds", "holds in direction"]) == "holds in direction"
