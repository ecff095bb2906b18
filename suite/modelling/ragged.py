"""Rows of unequal length in one tensor: how a whole encoded dataset is held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Ragged:
    """Rows packed end to end.

    Attributes:
        values: all rows' items in order.
        offsets: row `i` is `values[offsets[i]:offsets[i + 1]]`.
    """

    values: Shaped[Tensor, "total *item"]
    offsets: Int[Tensor, " rows_plus_1"]

    @classmethod
    def from_rows(
        cls, rows: Iterable[Sequence[int] | Sequence[tuple[int, ...]]], item: int | None = None
    ) -> Ragged:
        """Packs rows of integers, or of integer tuples of width `item`."""
        flat: list[int] | list[tuple[int, ...]] = []
        ends = [0]
        for row in rows:
            flat.extend(row)  # type: ignore[arg-type]
            ends.append(len(flat))
        shape = (-1,) if item is None else (-1, item)
        values = torch.from_numpy(np.asarray(flat, dtype=np.int64).reshape(shape))
        return cls(values, torch.tensor(ends))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Int[Tensor, " rows"]:
        """Number of items of each row."""
        return self.offsets.diff()

    def select(self, rows: Int[Tensor, " selected"]) -> Ragged:
        """The given rows, in the given order."""
        starts, lengths = self.offsets[rows], self.lengths[rows]
        offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        shift = (starts - offsets[:-1]).repeat_interleave(lengths)
        return Ragged(self.values[torch.arange(len(shift), device=shift.device) + shift], offsets)

    @property
    def owners(self) -> Int[Tensor, " total"]:
        """The row of each item."""
        return torch.arange(len(self), device=self.offsets.device).repeat_interleave(self.lengths)

    def padded(self, fill: int = 0) -> Shaped[Tensor, "rows longest *item"]:
        """The rows side by side, filled up to the longest."""
        longest = int(self.lengths.max()) if len(self) else 0
        if longest * len(self) == len(self.values):
            return self.values.view(len(self), longest, *self.values.shape[1:])
        out = self.values.new_full((len(self), longest, *self.values.shape[1:]), fill)
        owners = self.owners
        positions = torch.arange(len(owners), device=owners.device) - self.offsets[owners]
        out[owners, positions] = self.values
        return out

    def mask(self) -> Bool[Tensor, "rows longest"]:
        """True where `padded` holds an item."""
        longest = int(self.lengths.max()) if len(self) else 0
        return torch.arange(longest, device=self.offsets.device) < self.lengths[:, None]

    def to(self, device: torch.device | str) -> Ragged:
        """The same rows on another device."""
        return Ragged(self.values.to(device), self.offsets.to(device))
