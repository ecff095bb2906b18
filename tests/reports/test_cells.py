"""How numbers and reasons become cells."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.cells import cell, markdown, number
from reports.load import Missing
from tests.reports.markdown import tables


@pytest.mark.parametrize(
    ("found", "digits", "expected"),
    [
        ({0: 1.0, 1: 2.0, 2: 3.0}, 1, "2.0 ± 1.0"),
        ({0: 73.14}, 1, "73.1"),
        ({0: 73.14, 1: Missing("diverged")}, 1, "73.1 (1 of 2 seeds)"),
        ({0: 73.14, 1: "out of memory"}, 1, "73.1 (1 of 2 seeds; seed 1: out of memory)"),
        ({0: "out of memory", 1: "out of memory"}, None, "out of memory"),
        ({0: Missing("failed"), 1: "not reached"}, None, "seed 0: failed; seed 1: not reached"),
        (
            {0: "not reached", 1: "not reached", 2: Missing("failed")},
            None,
            "seeds 0, 1: not reached; seed 2: failed",
        ),
        ({0: 1_096_000.0, 1: 1_096_000.0}, 0, "1,096,000"),
        ({0: 0.01234, 1: 0.01238}, None, "0.0124 ± 0.0000"),
        ({0: 1234.5, 1: 1234.5}, None, "1,234"),
        ({0: 0.0, 1: 0.0}, None, "0 ± 0"),
    ],
)
def test_cells_by_hand(found: dict[int, float | str], digits: int | None, expected: str) -> None:
    assert cell(found, digits) == expected


@given(st.lists(st.floats(0, 1e6) | st.just("out of memory"), min_size=2, max_size=5))
def test_a_mean_never_hides_a_missing_value(drawn: list[float | str]) -> None:
    text = cell(dict(enumerate(drawn)))
    if "out of memory" in drawn:
        assert "±" not in text
        assert "out of memory" in text
    else:
        assert "seeds" not in text


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "0"), (123456.0, "123,456"), (12.345, "12.3"), (0.00123, "0.00123"), (-5.0, "-5.00")],
)
def test_numbers_keep_three_digits(value: float, expected: str) -> None:
    assert number(value) == expected


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=5))
def test_no_text_breaks_a_table(drawn: list[tuple[str, str]]) -> None:
    text = markdown(pd.DataFrame(drawn, columns=["a | b", "c"]))
    (table,) = tables(text)
    assert {len(row) for row in table} == {2}
    assert len(table) == len(drawn) + 2
