"""What data hold is text in a report, and no formula in a sheet."""

from __future__ import annotations

from io import StringIO

import pandas as pd
import pytest

from reports.cells import markdown
from reports.sheets import csv
from suite.quoting import quoted

EVIL = ["<img src=x onerror=a>", "[x](http://a)", "![x](http://a)", "a|b", "a\\|b", "`x`", "**x**"]


@pytest.mark.parametrize("text", EVIL)
def test_text_of_the_data_begins_no_markup(text: str) -> None:
    shown = quoted(text)
    assert "<" not in shown
    assert "|" not in shown
    for mark in "[]`*":
        assert shown.count(mark) == shown.count(f"\\{mark}")


@pytest.mark.parametrize("text", [*EVIL, "a\nb", "a\\", "\\|", "|"])
def test_a_cell_stays_one_cell(text: str) -> None:
    *_, row = markdown({"Name": [text], "Quoted": [quoted(text)]}).splitlines()
    bars = 0
    backslashes = 0
    for character in row:
        bars += character == "|" and backslashes % 2 == 0
        backslashes = backslashes + 1 if character == "\\" else 0
    assert bars == 3, row


def test_no_cell_of_a_sheet_is_a_formula() -> None:
    frame = pd.DataFrame(
        {"title": ["=1+1", "+1", "-2", "@x", "fine", None], "f1": [-0.5, 0.1, 0, 1, 2, 3]}
    )
    again = pd.read_csv(StringIO(csv(frame)))
    assert again["title"].tolist()[:5] == ["'=1+1", "'+1", "'-2", "'@x", "fine"]
    assert again["f1"].tolist() == frame["f1"].tolist(), "numbers stay numbers"
