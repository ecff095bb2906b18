"""How the reading of texts is shown: a bar on a terminal, a line every some seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars

from runners.cli.command import errors

if TYPE_CHECKING:
    from suite.extraction.extract import Progress

SECONDS = 10.0
"""Between two lines."""


class Pace:
    """Texts per second, and seconds left, as far as the bytes that were read tell it.

    Args:
        clock: in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._first: tuple[float, int] | None = None

    def line(self, progress: Progress) -> str:
        """What is known, in words."""
        now = self._clock()
        rate = progress.texts / max(now - self._began, 1e-9)
        parts = [f"{progress.texts:,} texts", f"{rate:,.0f} per second"]
        if progress.bytes_in_all:
            parts.append(f"{100 * progress.bytes_read / progress.bytes_in_all:.0f} %")
        left = self._left(now, progress)
        if left is not None:
            parts.append(f"{_time(left)} left")
        if progress.failed:
            parts.append(f"{progress.failed:,} failed")
        return ", ".join(parts)

    def _left(self, now: float, progress: Progress) -> float | None:
        """Counted from the first chunk: what an earlier command read is passed over at once."""
        if not progress.bytes_in_all:
            return None
        if self._first is None:
            self._first = now, progress.bytes_read
            return None
        seconds, read = now - self._first[0], progress.bytes_read - self._first[1]
        return (progress.bytes_in_all - progress.bytes_read) * seconds / read if read else None


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def shown_texts() -> Iterator[Callable[[Progress], None]]:
    """Gives what is called after each chunk of texts."""
    pace = Pace()
    if errors.is_terminal:
        bars = Bars(BarColumn(), TextColumn("{task.fields[state]}"), console=errors)
        with bars:
            bar = bars.add_task("texts", total=None, state="")
            yield lambda p: bars.update(
                bar, total=p.bytes_in_all or None, completed=p.bytes_read, state=pace.line(p)
            )
        return
    said = time.monotonic()

    def say(progress: Progress) -> None:
        nonlocal said
        line = pace.line(progress)
        if time.monotonic() - said >= SECONDS:
            said = time.monotonic()
            errors.print(line, markup=False)

    yield say
