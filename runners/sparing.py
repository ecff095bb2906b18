"""What is done now and then, and takes little of the time."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST_PAUSE = 30.0
"""Seconds from one time to the next, at least."""
SHARE = 0.05
"""Of all time that it may take."""


class Sparing:
    """Does something the first time it is asked to, and then where enough time has gone by."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, act: Callable[[], None]) -> None:
        """Acts, or leaves it for later; what the act raises is raised."""
        began = time.monotonic()
        if began < self._next:
            return
        act()
        ended = time.monotonic()
        self._next = ended + max(LEAST_PAUSE, (ended - began) / SHARE)
