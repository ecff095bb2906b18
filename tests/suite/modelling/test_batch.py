"""Columns of examples are selected and moved together, those within columns too."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from suite.modelling.batch import Batch, Columns, Text
from suite.modelling.ragged import Ragged


@dataclass(frozen=True)
class Inner(Columns):
    numbers: Ragged


@dataclass(frozen=True)
class Outer(Batch):
    inner: Inner
    left_out: Ragged | None


def packed() -> Outer:
    words = Ragged.from_rows([[1, 2, 3], [4], [5, 6]])
    return Outer(Text(words), Inner(Ragged.from_rows([[7], [], [8, 9]])), None)


def test_rows_are_selected_from_every_column() -> None:
    some = packed().select(torch.tensor([2, 0]))
    assert isinstance(some, Outer)
    assert len(some) == 2
    assert some.lengths.tolist() == [2, 3]
    assert some.text.words.values.tolist() == [5, 6, 1, 2, 3]
    assert some.inner.numbers.values.tolist() == [8, 9, 7]
    assert some.left_out is None


def test_columns_are_those_that_are_there() -> None:
    lengths = [column.lengths.tolist() for column in packed().columns()]
    assert lengths == [[3, 1, 2], [1, 0, 2]]


def test_every_column_goes_to_the_device() -> None:
    moved = packed().to("meta")
    assert {column.values.device.type for column in moved.columns()} == {"meta"}
