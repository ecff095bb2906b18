"""One process at a time works on a run's folder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from suite.errors import SuiteError

NAME = ".lock"
WAIT_SECONDS = 30.0
"""How long a process that was told to stop may take to let go: a step and a record."""


@contextmanager
def locked(folder: Path, wait: float = WAIT_SECONDS) -> Iterator[int]:
    """Holds the folder as long as this process lives, or a child that was given the descriptor.

    Args:
        folder: of a run; made where it is not there.
        wait: seconds that another holder has to let go.

    Raises:
        SuiteError: another process works on the folder, or it cannot be made.
    """
    descriptor = _opened(folder)
    try:
        ends = time.monotonic() + wait
        while not _taken(descriptor):
            if time.monotonic() > ends:
                raise SuiteError(
                    "another process works on this run",
                    where=folder,
                    remedy="Wait until it has ended, or name another --out.",
                )
            time.sleep(0.1)
        yield descriptor
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise SuiteError(
            f"cannot be worked in: {error.strerror}",
            where=folder,
            remedy="Name another --out, or a system or dataset by a shorter name.",
        ) from error


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
