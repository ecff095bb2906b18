"""Packed rows against lists of lists."""

from __future__ import annotations

from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.modelling.ragged import Ragged

ROWS = st.lists(st.lists(st.integers(-5, 5), max_size=6), min_size=1, max_size=8)


def unpack(ragged: Ragged) -> list[list[int]]:
    ends = ragged.offsets.tolist()
    return [ragged.values[a:b].tolist() for a, b in pairwise(ends)]


@given(ROWS)
def test_rows_come_back(rows: list[list[int]]) -> None:
    assert unpack(Ragged.from_rows(rows)) == rows


@given(ROWS, st.data())
def test_selection_is_that_of_a_list(rows: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6))
    selected = Ragged.from_rows(rows).select(torch.tensor(chosen, dtype=torch.long))
    assert unpack(selected) == [rows[i] for i in chosen]


@given(ROWS)
def test_padding_and_mask(rows: list[list[int]]) -> None:
    ragged = Ragged.from_rows(rows)
    longest = max(map(len, rows))
    assert ragged.padded(9).tolist() == [row + [9] * (longest - len(row)) for row in rows]
    assert ragged.mask().tolist() == [
        [True] * len(row) + [False] * (longest - len(row)) for row in rows
    ]
    assert ragged.owners.tolist() == [i for i, row in enumerate(rows) for _ in row]


def test_rows_of_tuples_keep_their_width_even_when_empty() -> None:
    ragged = Ragged.from_rows([[], [(1, 2, 3)], []], item=3)
    assert ragged.values.tolist() == [[1, 2, 3]]
    assert ragged.select(torch.tensor([0, 2])).values.shape == (0, 3)
