"""Encoded examples, a whole split or a batch of it: typed columns with one row per example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TypeVar

import torch
from jaxtyping import Int
from torch import Tensor

from suite.modelling.ragged import Ragged

C = TypeVar("C", bound="Columns")


@dataclass(frozen=True)
class Columns:
    """Columns of the same examples.

    Every field of a subclass is a `Ragged`, further `Columns`, or None where the system's settings
    leave a column out.
    """

    def __len__(self) -> int:
        return len(next(self.columns()))

    def columns(self) -> Iterator[Ragged]:
        """All columns, those of its fields' fields too."""
        for field in fields(self):
            column = getattr(self, field.name)
            if isinstance(column, Columns):
                yield from column.columns()
            elif column is not None:
                yield column

    def select(self: C, rows: Int[Tensor, " selected"]) -> C:
        """The given examples, in the given order."""
        return self._each(lambda column: column.select(rows))

    def to(self: C, device: torch.device | str) -> C:
        """The same examples on another device."""
        return self._each(lambda column: column.to(device))

    def _each(self: C, change: Callable[[Ragged | Columns], Ragged | Columns]) -> C:
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return type(self)(**{k: None if v is None else change(v) for k, v in held.items()})


@dataclass(frozen=True)
class Text(Columns):
    """What an encoder reads.

    Attributes:
        words: one number per word, whose meaning is the encoder's.
    """

    words: Ragged

    @property
    def lengths(self) -> Int[Tensor, " examples"]:
        """Words per example."""
        return self.words.lengths


@dataclass(frozen=True)
class Batch(Columns):
    """What every system's batches hold; a system adds the columns of its targets.

    Attributes:
        text: what the encoder reads.
    """

    text: Text

    @property
    def lengths(self) -> Int[Tensor, " examples"]:
        """Words per example."""
        return self.text.lengths
