"""What is under way on one machine at one time, where what is timed takes longer than alone."""

from __future__ import annotations

import threading
from collections.abc import Hashable


class Company:
    """Notes which pieces of work were under way at a place while another one was.

    Any thread may tell it.
    """

    def __init__(self) -> None:
        self._where: dict[Hashable, Hashable] = {}
        self._accompanied: set[Hashable] = set()
        self._lock = threading.Lock()

    def begins(self, work: Hashable, place: Hashable = None) -> None:
        """The work begins at a place, or goes on there where the place before has died."""
        with self._lock:
            self._where[work] = place
            there = {other for other, where in self._where.items() if where == place}
            if len(there) > 1:
                self._accompanied |= there

    def ends(self, work: Hashable) -> None:
        """The work is not under way any more, if it was."""
        with self._lock:
            self._where.pop(work, None)

    def place_of(self, work: Hashable) -> Hashable | None:
        """Where the work is under way; None where it is not."""
        with self._lock:
            return self._where.get(work)

    def was_alone(self, work: Hashable) -> bool:
        """Whether nothing else was under way meanwhile, wherever the work was."""
        with self._lock:
            return work not in self._accompanied
