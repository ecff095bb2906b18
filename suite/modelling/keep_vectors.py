"""Which word vectors a trained system is kept with; a choice that options name without torch."""

from __future__ import annotations

from typing import Literal

KeepVectors = Literal["first", "dataset"]
"""`dataset`: those of the dataset's words alone; `first`: those of the first words of their file
besides (`suite.modelling.open_vocabulary`)."""
