"""Where a command's OUT is: a folder, or a URL with a folder here."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runners.remote.urls import is_url
from suite.errors import SuiteError
from suite.privacy import without_credentials

if TYPE_CHECKING:
    from runners.executors.base import Event, OnEvent
    from runners.remote.mirror import Mirror


@dataclass(frozen=True)
class OpenedOut:
    """An OUT that a command works on.

    Attributes:
        folder: of this machine, in which it works.
        shown: OUT as messages have it.
        mirror: sends the folder's files; None where OUT is the folder itself.
    """

    folder: Path
    shown: str
    mirror: Mirror | None = None

    def hearing(self, on_event: OnEvent) -> OnEvent:
        """What hears of events, and has the mirror hear of them as well."""
        mirror = self.mirror
        if mirror is None:
            return on_event

        def both(event: Event) -> None:
            on_event(event)
            mirror.heard(event)

        return both

    def send(self) -> None:
        """Sends all that is new.

        Raises:
            SuiteError: the store cannot be written.
        """
        if self.mirror is not None:
            self.mirror.send()


@contextmanager
def opened(out: str, *, dry: bool) -> Iterator[OpenedOut]:
    """OUT, for as long as the block lasts.

    Args:
        out: as `--out` has it.
        dry: whether it is looked at alone; nothing is written then, there or here.

    Raises:
        SuiteError: it is a URL that cannot be reached, or another command works on it.
    """
    if not is_url(out):
        refuse_chains(out)
        yield OpenedOut(Path(out), str(Path(out)))
        return
    from runners.remote.mirror import Mirror, bring_states, local_folder  # noqa: PLC0415 - torch

    if dry:
        with tempfile.TemporaryDirectory(prefix="plan-") as scratch:
            folder = Path(scratch, local_folder(out).name)
            bring_states(out, folder)
            yield OpenedOut(folder, without_credentials(out))
        return
    with Mirror(out).opened() as mirror:
        yield OpenedOut(mirror.folder, mirror.shown, mirror)


def refuse_chains(out: str) -> None:
    """Checks that a text which is no URL holds none.

    Raises:
        SuiteError: it does, as `simplecache::s3://bucket` or `://path`.
    """
    if "://" in out:
        raise SuiteError(
            f"--out {without_credentials(out)} is neither a folder nor a URL",
            remedy="Give one URL, as s3://bucket/path; files are cached here anyway.",
        )
