"""How much is worked on at a time."""

from __future__ import annotations

import torch

NUMBERS_IN_CACHE = 2**19
"""Numbers that a CPU works on together: what a core's cache holds, and enough that the calls do not
count."""
NUMBERS_ON_GPU = 2**27
"""Likewise of a GPU, whose many cores all want some."""
NUMBERS_IN_MEMORY = 2**24
"""Numbers held at once in prediction, where an untrained system may find very much, and would
otherwise need gigabytes for it."""


def at_once(numbers: int, device: torch.device) -> int:
    """How many items, each worked on with so many numbers, a device works on best."""
    return max(1, (NUMBERS_IN_CACHE if device.type == "cpu" else NUMBERS_ON_GPU) // numbers)


def held_at_once(numbers: int) -> int:
    """How many items, each of so many numbers, memory is to hold."""
    return max(1, NUMBERS_IN_MEMORY // numbers)
