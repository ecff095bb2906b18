"""A dataset after a system's encoding, and batches of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from suite.modelling.ragged import Ragged


@dataclass(frozen=True)
class Encoded:
    """Examples after `System.encode`: all that a batch needs, packed once.

    Attributes:
        columns: named ragged columns with one row an example. What they hold is the system's own
            affair; `words` must be there, since its row lengths are the sentences'.
    """

    columns: Mapping[str, Ragged]

    def __len__(self) -> int:
        return len(self.columns["words"])

    @property
    def lengths(self) -> Int[Tensor, " examples"]:
        """Words of each example."""
        return self.columns["words"].lengths

    def batch(self, rows: Int[Tensor, " selected"]) -> Batch:
        """The given examples side by side."""
        return Batch({name: column.select(rows) for name, column in self.columns.items()})

    def whole(self) -> Batch:
        """All of them in one batch, in their order."""
        return Batch(self.columns)

    def to(self, device: torch.device | str) -> Encoded:
        """The same examples on another device."""
        return Encoded({name: column.to(device) for name, column in self.columns.items()})


@dataclass(frozen=True)
class Batch:
    """Some encoded examples, still ragged; systems pad what they need padded."""

    columns: Mapping[str, Ragged]

    def __len__(self) -> int:
        return len(self.columns["words"])

    def __getitem__(self, name: str) -> Ragged:
        return self.columns[name]
