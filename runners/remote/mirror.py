"""A local folder in which a command works whose OUT is a URL, and which is sent there as it grows.

The URL holds the truth. What differs there from what was last seen is fetched first, and what has
gone there goes here; what changes here afterwards is sent. Of files there, only such as this
command has sent are deleted, or the dead one on this machine that it goes on from.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from runners.executors.base import Ended, Event, Progressed
from runners.remote.lease import NAME as LEASE
from runners.remote.lease import HeldLease, LostError, leased
from runners.remote.store import Store
from runners.sparing import Sparing
from suite.datasets.catalogue.fetch import CACHE_DIR, cache_folder
from suite.errors import SuiteError
from suite.files import StrictModel, read_model, write_atomically
from suite.locks import held
from suite.privacy import credentials
from suite.records.suite import RUNS

CLOSING = ("report.md", "record.json", "suite.json")
"""Names of files that refer to others, which are sent before."""
RUN_DEPTH = 4
"""Parts of a run's folder within OUT: runs, system, dataset, seed."""


class Seen(StrictModel):
    """A file when both sides last held the same.

    Attributes:
        there: tag of the store.
        size: here, in bytes.
        mtime: here, in nanoseconds.
    """

    there: str
    size: int
    mtime: int

    @property
    def here(self) -> tuple[int, int]:
        """As `_stat` tells it."""
        return self.size, self.mtime


class _Memory(StrictModel):
    files: dict[str, Seen]
    sent: tuple[str, ...]


class Mirror:
    """The local folder of a URL.

    Attributes:
        folder: in which the command works; it is called as the URL ends.
        shown: the URL without credentials.
    """

    def __init__(self, url: str) -> None:
        self._store = Store(url)
        self._base = base_of(url)
        self.folder = local_folder(url)
        self.shown = self._store.shown.rstrip("/")
        self._seen: dict[str, Seen] = {}
        self._sent: set[str] = set()
        self._sparing = Sparing()
        self._lease: HeldLease | None = None

    @contextmanager
    def opened(self) -> Iterator[Mirror]:
        """Brings here what the URL holds; what is not there when the block ends, is sent then.

        Raises:
            SuiteError: another command works on the URL, or it cannot be read or written.
        """
        busy = SuiteError(
            "another command of this machine works there",
            where=self.shown,
            remedy="Wait until it has ended, or name another --out.",
        )
        with (
            self._as_the_url(),
            held(self._made() / "lock", busy),
            leased(self._store, self._base / "lease") as lease,
        ):
            self._lease = lease
            self._bring(ours=lease.ours)
            try:
                yield self
            except LostError:
                raise
            except BaseException:
                self._try_to_send("")
                raise
            self.send()

    def _made(self) -> Path:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SuiteError(
                f"the cache cannot be written: {error.strerror}",
                where=self._base,
                remedy=f"Name another folder for it by ${CACHE_DIR}.",
            ) from error
        return self._base

    @contextmanager
    def _as_the_url(self) -> Iterator[None]:
        """Mistakes are told of the URL, and not of its folder here."""
        try:
            yield
        except LostError:
            raise
        except SuiteError as error:
            here = str(self.folder)
            where = None if error.where is None else error.where.replace(here, self.shown)
            cause = error.cause.replace(here, self.shown)
            raise SuiteError(cause, where=where, remedy=error.remedy) from error

    def heard(self, event: Event) -> None:
        """Sends a run's folder when it ends, and what is under way now and then.

        While anything is measured, nothing is sent.

        Raises:
            SuiteError: another command has taken the URL over.
        """
        if isinstance(event, Ended):
            self._try_to_send(event.run.folder.relative_to(self.folder).as_posix())
        elif isinstance(event, Progressed) and "dev_f1" in event.line:
            self._sparing(lambda: self._try_to_send(""))

    def send(self, run: str = "") -> None:
        """Sends what is new here since, or of one run and the files beside all runs.

        Args:
            run: its folder within OUT; all of it where empty.

        Raises:
            SuiteError: the store cannot be written; what is here stays.
        """
        assert self._lease is not None, "it is open"
        here = {n: s for n, s in _files(self.folder).items() if _is_of(n, run)}
        new = {n for n, s in here.items() if n not in self._seen or self._seen[n].here != s}
        gone = {n for n in self._sent - here.keys() if _is_of(n, run)}
        if not new and not gone:
            return
        self._lease.check()
        closing = {n for n in new if PurePosixPath(n).name in CLOSING}
        for names in (new - closing, closing):
            self._store.send({name: self.folder / name for name in sorted(names)})
            self._sent |= names
        self._store.delete(sorted(gone))
        self._sent -= gone
        self._remember(self._store.tags(sorted(new)), here)
        for name in gone:
            self._seen.pop(name, None)
        self._write_memory()

    def _try_to_send(self, run: str) -> None:
        """Sends what is sent again later where the store does not answer now."""
        try:
            self.send(run)
        except LostError:
            raise
        except SuiteError as error:
            print(f"not sent yet: {error}", file=sys.stderr, flush=True)

    def _bring(self, *, ours: bool) -> None:
        """Makes the local folder what the URL holds.

        Args:
            ours: nobody but a dead command of this machine has written there; what is here is as
                new as what is there, or newer.
        """
        memory = self._base / "seen.json"
        if memory.exists():
            left = read_model(memory, _Memory, "memory", "Delete it.")
            self._seen, self._sent = dict(left.files), set(left.sent if ours else ())
        found = self._store.files()
        if LEASE not in found:
            raise SuiteError(
                "its files cannot be listed: a file that was just written is not among them",
                where=self.shown,
                remedy="Let the account list the files there, or name another --out.",
            )
        there = {name: tag for name, tag in found.items() if _is_ours(name)}
        here = _files(self.folder)
        if not ours:
            known = {name: seen.there for name, seen in self._seen.items()}
            changed = {name for name, tag in there.items() if known.get(name) != tag}
            self._drop(here.keys() - there.keys(), gone=known.keys() - there.keys(), new=changed)
        else:
            changed = set()
        wanted = sorted(changed | (there.keys() - here.keys()))
        self._store.fetch(wanted, self.folder)
        self._seen = {n: s for n, s in self._seen.items() if n in there}
        self._remember({name: there[name] for name in wanted}, _files(self.folder))
        self._write_memory()

    def _drop(self, here_alone: Collection[str], gone: Collection[str], new: set[str]) -> None:
        """Removes here what has gone there, and what belongs to runs that others went on with."""
        runs = {_run_of(name) for name in new} - {None}
        for name in here_alone:
            if name in gone or _run_of(name) in runs:
                (self.folder / name).unlink(missing_ok=True)

    def _remember(self, tags: dict[str, str], here: dict[str, tuple[int, int]]) -> None:
        for name, tag in tags.items():
            if name in here:
                size, mtime = here[name]
                self._seen[name] = Seen(there=tag, size=size, mtime=mtime)

    def _write_memory(self) -> None:
        memory = _Memory(files=self._seen, sent=tuple(sorted(self._sent)))
        write_atomically(self._base / "seen.json", memory.model_dump_json())


def base_of(url: str) -> Path:
    """The folder of the cache for all that is kept of a URL; a new password leads to the same."""
    for secret in filter(None, credentials(url)):
        url = url.replace(secret, "")
    digest = hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]
    return cache_folder().with_name("outs") / digest


def local_folder(url: str) -> Path:
    """Where a command works whose OUT is this URL."""
    name = url.rstrip("/").rpartition("/")[2]
    return base_of(url) / ("out" if name.startswith(".") else name)


def bring_states(url: str, folder: Path) -> None:
    """Brings what tells the states of runs, for a command that only looks.

    Args:
        url: of OUT.
        folder: an empty one; checkpoints are empty files in it.

    Raises:
        SuiteError: the URL cannot be read.
    """
    store = Store(url)
    names = [n for n in store.files() if _is_ours(n) and _run_of(n) is not None]
    told = {"record.json", "run.json"}
    store.fetch([name for name in names if PurePosixPath(name).name in told], folder)
    for name in names:
        if name.endswith("/checkpoint/last.pt"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Name of every file -> its size and when it was changed, in nanoseconds."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if _is_ours(name) and path.is_file():
            with suppress(FileNotFoundError):  # dropped since it was listed
                facts = path.stat()
                found[name] = facts.st_size, facts.st_mtime_ns
    return found


def _is_ours(name: str) -> bool:
    """Locks, leases and files that are being written begin with a dot."""
    return not any(part.startswith(".") for part in name.split("/"))


def _run_of(name: str) -> str | None:
    parts = name.split("/")
    return "/".join(parts[:RUN_DEPTH]) if parts[0] == RUNS and len(parts) > RUN_DEPTH else None


def _is_of(name: str, run: str) -> bool:
    return not run or "/" not in name or name.startswith(f"{run}/")
