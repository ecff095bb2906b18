"""One process at a time works on a run's folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from suite.errors import SuiteError
from suite.locks import held

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
        SuiteError: another process works on the folder, or it cannot be made or locked.
    """
    busy = SuiteError(
        "another process works on this run",
        where=folder,
        remedy="Wait until it has ended, or name another --out.",
    )
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = stack.enter_context(held(folder / NAME, busy, wait))
        except OSError as error:
            raise SuiteError(
                f"cannot be worked in: {error.strerror}",
                where=folder,
                remedy="Name another --out, or a system or dataset by a shorter name.",
            ) from error
        yield descriptor
