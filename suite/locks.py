"""Files that one process holds at a time, by the kernel's lock, which ends with the process."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from suite.errors import SuiteError

FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.1


@contextmanager
def held(path: Path, busy: SuiteError, wait: float = 0.0, *, shared: bool = False) -> Iterator[int]:
    """Holds a file as long as this process lives, or a child that was given the descriptor.

    Args:
        path: of the file; made where it is not there. Whoever deletes it while it is held ends no
            holder's hold, and the next one holds a new file.
        busy: is raised where another process does not let go.
        wait: seconds that it has for that.
        shared: whether others may hold it likewise.

    Raises:
        SuiteError: `busy`.
        OSError: the file cannot be made, or its file system has no locks.
    """
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    ends, pause = time.monotonic() + wait, FIRST_PAUSE
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            taken = _taken(descriptor, how)
            if taken and os.fstat(descriptor).st_nlink:
                yield descriptor
                return
        finally:
            os.close(descriptor)
        if not taken:
            if time.monotonic() > ends:
                raise busy
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _taken(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
