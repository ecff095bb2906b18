"""Slices of sentences by their length."""

from __future__ import annotations

LENGTHS = ((20, "1 to 20 words"), (40, "21 to 40"), (60, "41 to 60"))


def length_slice(words: int) -> str:
    """The slice of a sentence of so many words."""
    return next((name for limit, name in LENGTHS if words <= limit), "over 60")
