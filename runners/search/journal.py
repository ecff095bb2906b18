"""The journal of a search: a file of one operation a line, sound whatever cut a write off.

Optuna's own file backend locks by a link, which hangs for ever where its holder has died and the
path is relative, and cannot be opened once a write was cut off. Here the kernel holds the lock,
which ends with the process, and what a write left unfinished is cut off under it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from suite.errors import SuiteError
from suite.files import write_atomically
from suite.locks import held

WAIT_SECONDS = 120.0
"""How long a journal may be held by others: each does so for one write."""
_FIRST_FIELD = b'{"op_code"'
_REMEDY = "Free some space, or move the journal away and begin anew; finished runs are kept."


class JournalFile(BaseJournalBackend):
    """A journal that any number of processes write to.

    Args:
        path: of the file; made where it is not there, mended where it is damaged.
        wait: seconds that others may hold it.

    Raises:
        SuiteError: it cannot be read or written, or is held by another process.
    """

    def __init__(self, path: Path, wait: float = WAIT_SECONDS) -> None:
        self._path, self._wait = path.absolute(), wait
        self._starts = [0]
        with _told(path), self._held():
            self._path.touch()
            self._mend()

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The operations from a number on."""
        with _told(self._path), self._held(shared=True), self._path.open("rb") as file:
            known = min(log_number_from, len(self._starts) - 1)
            file.seek(self._starts[known])
            # A last line without an end is that of a dead writer: whoever writes next cuts it off.
            *lines, _cut_off = file.read().split(b"\n")
        del self._starts[known + 1 :]
        found = []
        for number, line in enumerate(lines, start=known):
            operation = _operation(line)
            if operation is None:
                raise SuiteError(
                    "is damaged",
                    where=f"{self._path}: line {number + 1}",
                    remedy="The same command mends it: it cuts such lines off.",
                )
            self._starts.append(self._starts[-1] + len(line) + 1)
            if number >= log_number_from:
                found.append(operation)
        return iter(found)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes operations, all or none."""
        lines = "".join(f"{json.dumps(log, separators=(',', ':'))}\n" for log in logs)
        with _told(self._path), self._held(), self._opened() as file:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                size = self._cut_off_the_end(file)
            try:
                left = memoryview(lines.encode())
                while left:  # not by a buffer, which would write what failed once more
                    left = left[os.write(file, left) :]
                os.fsync(file)
            except BaseException:
                os.ftruncate(file, size)
                raise

    @contextmanager
    def _opened(self) -> Iterator[int]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _mend(self) -> None:
        """Cuts out what is no operation; whoever calls it holds the journal."""
        content = self._path.read_bytes()
        sound = sound_part(content)
        if sound == content:
            return
        if content.startswith(sound):
            os.truncate(self._path, len(sound))
        else:
            write_atomically(self._path, sound)
        self._say_cut(len(content) - len(sound))

    def _cut_off_the_end(self, file: int) -> int:
        """Cuts off the half line of a writer that died since the journal was opened; its size."""
        content = self._path.read_bytes()
        size = content.rfind(b"\n") + 1
        os.ftruncate(file, size)
        self._say_cut(len(content) - size)
        return size

    def _say_cut(self, count: int) -> None:
        print(
            f"{self._path}: {count} bytes of a write that was cut off are cut from it; what they "
            "were to note is done again",
            file=sys.stderr,
            flush=True,
        )

    @contextmanager
    def _held(self, *, shared: bool = False) -> Iterator[None]:
        """Holds the journal, beside other readers or alone."""
        busy = SuiteError(
            "another process holds the journal",
            where=self._path,
            remedy="End that process if it hangs, or name another --out.",
        )
        beside = self._path.with_name(f".{self._path.name}.lock")
        with held(beside, busy, self._wait, shared=shared):
            yield


class JournalCopy(BaseJournalBackend):
    """What a journal holds, in memory: nothing is written, and nothing mended.

    Args:
        path: of the file.

    Raises:
        SuiteError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        with _told(path):
            lines = sound_part(path.read_bytes()).split(b"\n")[:-1]
        self._logs: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """The operations from a number on."""
        return iter(self._logs[log_number_from:])

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Notes operations as long as this process lives."""
        self._logs += json.loads(json.dumps(logs))


def sound_part(content: bytes) -> bytes:
    """A journal's content without what is no operation: the ends and beginnings of cut-off lines.

    Where a whole operation was written right behind half of one, it is kept.
    """
    *whole, _cut_off = content.split(b"\n")
    return b"".join(map(_sound, whole))


def _sound(line: bytes) -> bytes:
    """The operation at the end of a line, with its line end; nothing where there is none."""
    start = 0
    while start >= 0:
        if _operation(line[start:]) is not None:
            return line[start:] + b"\n"
        start = line.find(_FIRST_FIELD, start + 1)
    return b""


def _operation(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("op_code"), int) else None


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tells what the system refuses as a mistake that a user can mend."""
    try:
        yield
    except OSError as error:
        cause = f"cannot be read or written: {error.strerror}"
        raise SuiteError(cause, where=path, remedy=_REMEDY) from error
