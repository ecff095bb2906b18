"""Where the nodes of a cluster report to, beside the command that planned their runs."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias

from runners.executors.lock import locked
from runners.executors.parcels import (
    Files,
    Parcel,
    files_of,
    packed,
    parcel_of,
    reads,
    unpack,
)
from suite.errors import SuiteError

Kind: TypeAlias = Literal["started", "progressed", "measuring", "measured", "said", "left"]
News: TypeAlias = tuple[str, Kind, Any]
"""Key of a run, what happened to it, and more about it."""
HEAR_SECONDS = 0.2
"""How long the command waits for news."""
STOPPED_SECONDS = 20.0
"""How long a node waits to hear that the command ends, before it asks again."""


class Desk:
    """An actor on the node of the command, which hears of runs and keeps their folders.

    Nodes that do not see the command's folder have theirs kept here: what a run leaves lies in OUT
    as if it had been done there, its checkpoints too, so that another node goes on with it.

    Args:
        out: the command's folder.
    """

    def __init__(self, out: str) -> None:
        self._out = Path(out)
        self._news: list[News] = []
        self._told = asyncio.Event()
        self._stopped = asyncio.Event()
        self._parcels: dict[str, Parcel] = {}
        self._held: dict[str, ExitStack] = {}

    async def tell(self, news: News) -> None:
        """A node says what happened."""
        self._news.append(news)
        self._told.set()

    async def hear(self, seconds: float = HEAR_SECONDS) -> list[News]:
        """What was said since; waits so long for the first of it."""
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), seconds)
        self._told.clear()
        found, self._news = self._news, []
        return found

    async def stop(self) -> None:
        """The command ends: so do the runs that are under way."""
        self._stopped.set()

    async def stopped(self, seconds: float = STOPPED_SECONDS) -> bool:
        """Whether the command ends; waits so long for that."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)
        return self._stopped.is_set()

    async def sees(self, token: Path, content: str) -> bool:
        """Whether the command's folder is here, as a file in it tells."""
        return reads(token, content)

    async def hold(self, key: str) -> None:
        """Holds a run's folder for a node that does not see it.

        Raises:
            SuiteError: another command works on it.
        """
        if key not in self._held:
            with ExitStack() as stack:
                stack.enter_context(locked(self._out / key, wait=0.0))
                self._held[key] = stack.pop_all()

    async def release(self, key: str) -> None:
        """Lets a run's folder go."""
        self._held.pop(key, ExitStack()).close()

    async def fetch(self, key: str) -> Files:
        """What is kept of a run."""
        return packed(self._out / key)

    async def keep(self, key: str, files: Files) -> None:
        """Keeps what a run has left so far; what it has dropped since goes."""
        folder = self._out / key
        unpack(files, folder)
        for path in files_of(folder):
            if path.relative_to(folder).as_posix() not in files:
                path.unlink(missing_ok=True)

    async def parcel(self, path: str) -> Parcel:
        """What tells the content of a file or folder of this machine.

        Raises:
            SuiteError: it cannot be read.
        """
        if path not in self._parcels:
            self._parcels[path] = parcel_of(Path(path), self._read(path))
        return self._parcels[path]

    async def content(self, path: str) -> Files:
        """The content of a file or folder of this machine.

        Raises:
            SuiteError: it cannot be read.
        """
        return self._read(path)

    @staticmethod
    def _read(path: str) -> Files:
        try:
            return packed(Path(path))
        except OSError as error:
            raise SuiteError(
                f"cannot be read by the cluster: {error.strerror}",
                where=path,
                remedy="Let it be read by whoever started Ray on this machine.",
            ) from error
