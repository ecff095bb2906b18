"""One command at a time works on a URL: a file there says which, and that it is alive."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from runners.remote.store import Store
from suite.errors import SuiteError
from suite.files import StrictModel, read_regular, write_atomically
from suite.privacy import shown_command

NAME = ".lease.json"
RENEWED_EVERY = 30.0
"""Seconds."""
DEAD_AFTER = 300.0
"""Seconds without being renewed after which another command takes a lease over."""
SETTLES = 0.5
"""Seconds in which two commands that wrote at once see who was last."""


class Lease(StrictModel):
    """What the file holds.

    Attributes:
        id: of the command's start.
        command: the command line, as `suite.json` has it.
        since: when it began; UTC, ISO 8601.
        renewed: seconds since 1970 when it was last known to be alive.
    """

    id: str
    command: tuple[str, ...]
    since: str
    renewed: float


class HeldLease:
    """A lease that this process holds.

    Args:
        store: on which.
        lease: as it was written.
        ours: whether the command before, whose lease was there, was of this machine and is dead:
            nobody has written there since.
    """

    def __init__(self, store: Store, lease: Lease, *, ours: bool) -> None:
        self.ours = ours
        self._store, self._lease = store, lease
        self._ended = threading.Event()

    def check(self) -> None:
        """Checks that it is held still.

        Raises:
            SuiteError: another command has taken it over, or the store does not answer.
        """
        there = _read(self._store)
        if there is None or there.id != self._lease.id:
            self._ended.set()
            raise LostError(
                "another command has taken this folder over, as from one that is dead",
                where=self._store.shown,
                remedy="Let that one end; the same command then goes on with what is left.",
            )

    def keep(self) -> None:
        """Renews it until it is released; for a thread of its own."""
        while not self._ended.wait(RENEWED_EVERY):
            with suppress(SuiteError):  # a store that does not answer now may do so next time
                self.check()
                _write(self._store, self._lease.model_copy(update={"renewed": time.time()}))

    def release(self) -> None:
        """Removes it, unless it is another's by now."""
        self._ended.set()
        with suppress(SuiteError):
            self.check()
            self._store.delete([NAME])


class LostError(SuiteError):
    """The lease is another command's: nothing may be written any more."""


@contextmanager
def leased(store: Store, memory: Path) -> Iterator[HeldLease]:
    """Holds the lease of a URL.

    Args:
        store: of it.
        memory: a file of this machine that keeps the id of the last lease from here; whoever calls
            holds a lock on its folder, so that the holder of that lease is known to be dead.

    Raises:
        SuiteError: another command holds it, or the store cannot be written.
    """
    before = _read(store)
    ours = before is not None and before.id == _remembered(memory)
    if before is not None and not ours:
        _refuse_a_living(store, before)
    lease = Lease(
        id=secrets.token_hex(8),
        command=shown_command(sys.argv),
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        renewed=time.time(),
    )
    write_atomically(memory, lease.id)
    written = _write(store, lease, new=before is None)
    if not (written and _was_last(store, lease)):
        there = _read(store)
        raise _busy(store, there or lease)
    held = HeldLease(store, lease, ours=ours)
    threading.Thread(target=held.keep, daemon=True).start()
    try:
        yield held
    finally:
        held.release()


def _was_last(store: Store, lease: Lease) -> bool:
    """Not every store can write only where nothing is."""
    time.sleep(SETTLES)
    there = _read(store)
    return there is not None and there.id == lease.id


def _refuse_a_living(store: Store, lease: Lease) -> None:
    if time.time() - lease.renewed < DEAD_AFTER:
        raise _busy(store, lease)


def _busy(store: Store, lease: Lease) -> SuiteError:
    age = max(0.0, time.time() - lease.renewed)
    return SuiteError(
        f"another command works there since {lease.since} ({' '.join(lease.command)[:200]}), and "
        f"was alive {age:.0f} s ago",
        where=store.shown,
        remedy=f"Wait until it has ended, or name another --out. If it is dead, the same command "
        f"takes over once that is {DEAD_AFTER:.0f} s ago.",
    )


def _read(store: Store) -> Lease | None:
    content = store.read(NAME)
    if content is None:
        return None
    try:
        return Lease.model_validate_json(content)
    except ValidationError as error:
        raise SuiteError(
            f"{NAME} is no lease of a command of this version",
            where=store.shown,
            remedy="Name another --out, or delete that file where no command works there.",
        ) from error


def _write(store: Store, lease: Lease, *, new: bool = False) -> bool:
    return store.write(NAME, lease.model_dump_json(indent=1).encode(), new=new)


def _remembered(memory: Path) -> str | None:
    try:
        return read_regular(memory).decode()
    except OSError:
        return None
