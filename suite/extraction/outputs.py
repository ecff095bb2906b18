"""Rows to a file that appears whole, going on after any end; or to standard output as they come.

Until all is read, rows are written as JSON lines to `.NAME.partial` beside the output and failures
to `.NAME.partial.errors`. `.NAME.partial.json`, the journal, is written after each chunk and says
how far both hold what was answered; whatever lies beyond was cut off, and is cut.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from suite.errors import SuiteError
from suite.extraction.parquet import require_parquet, write_rows
from suite.extraction.rows import ERROR, Row
from suite.files import StrictModel, open_regular, read_model, write_atomically
from suite.locks import held

FORMAT = 1
STANDARD_OUTPUT = "-"
LINES, PARQUET = (".jsonl", ".ndjson", ".json"), ".parquet"
ERRORS = ".errors.jsonl"
GOES_ON = "Free some space, or name another --out; the same command goes on where it stopped."
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Work:
    """What decides the rows: a killed command goes on only with the same.

    Attributes:
        model: its digest.
        options: by name, as text.
        inputs: a fingerprint of the files; None: they cannot be read again (standard input).
        found: the rows' column of what is found.
        with_text: whether rows hold their text.
    """

    model: str
    options: Mapping[str, str]
    inputs: str | None
    found: str
    with_text: bool = False


class Output(Protocol):
    """Takes rows."""

    @property
    def done(self) -> int:
        """Texts that were answered, before and now."""

    @property
    def failed(self) -> int:
        """Those of them that failed."""

    @property
    def complete(self) -> bool:
        """Whether there are no more texts, as an earlier command found."""

    @property
    def errors_path(self) -> Path | None:
        """The file of failures; None where they are told otherwise."""

    def write(self, rows: Sequence[Row]) -> None:
        """Keeps the rows of the next texts."""

    def finish(self) -> None:
        """Puts all in its place; nothing follows."""


class Journal(StrictModel):
    """How far an output is.

    Attributes:
        model, options, inputs: of its `Work`.
        done: texts that are answered.
        failed: those of them that failed.
        size: bytes of their rows.
        errors_size: bytes of their failures.
        complete: whether there are no more texts.
    """

    format: int = FORMAT
    model: str
    options: dict[str, str]
    inputs: str
    done: int = 0
    failed: int = 0
    size: int = 0
    errors_size: int = 0
    complete: bool = False


class StandardOutput:
    """JSON lines, each flushed at once; failures are told apart.

    Args:
        on_failure: is called with the row of a text that failed.
    """

    def __init__(self, on_failure: Callable[[Row], None]) -> None:
        self.done = self.failed = 0
        self.complete = False
        self.errors_path = None
        self._on_failure = on_failure

    def write(self, rows: Sequence[Row]) -> None:
        """Prints the rows of the next texts.

        Raises:
            SuiteError: nobody reads them any more, or they are sent to a full disk.
        """
        kept, failures = _apart(rows)
        try:
            sys.stdout.buffer.write(_lines(kept))
            sys.stdout.buffer.flush()
        except OSError as error:
            # Else Python would try once more as it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SuiteError(
                f"cannot be written: {error.strerror}",
                where="standard output",
                remedy="Name a file with --out, which goes on where it stopped.",
            ) from error
        for row in failures:
            self._on_failure(row)
        self.done, self.failed = self.done + len(rows), self.failed + len(failures)

    def finish(self) -> None:
        """Nothing is left to do."""


@dataclass
class FileOutput:
    """A file of JSON lines or parquet, by its ending, with `NAME.errors.jsonl` beside it.

    It is held from `opened_output` on; another process that wants it is refused.

    Attributes:
        path: of the file.
        work: what decides its rows.
        notes: what the user is to be told of an earlier command's part.
    """

    path: Path
    work: Work
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._partial = _beside(self.path)
        self._partial_errors = _beside(self.path, ".errors")
        self._journal_path = _beside(self.path, ".json")
        self._resumes = self.work.inputs is not None
        self._new = Journal(
            model=self.work.model, options=dict(self.work.options), inputs=self.work.inputs or ""
        )
        self.journal = self._new
        with _told(self.path):
            self.journal = self._sound_journal()
            if self.path.exists() and not self.journal.complete:
                raise SuiteError(
                    "is there already",
                    where=self.path,
                    remedy="Move or delete it, or name another --out.",
                )
            if not self.complete:
                self._files = [
                    _opened_at(self._partial, self.journal.size),
                    _opened_at(self._partial_errors, self.journal.errors_size),
                ]

    @property
    def done(self) -> int:
        """Texts that are answered."""
        return self.journal.done

    @property
    def failed(self) -> int:
        """Those of them that failed."""
        return self.journal.failed

    @property
    def complete(self) -> bool:
        """Whether there are no more texts."""
        return self.journal.complete

    @property
    def errors_path(self) -> Path:
        """The file of failures; there is none where no text failed."""
        return self.path.with_name(self.path.name + ERRORS)

    def _sound_journal(self) -> Journal:
        """The journal of an earlier command of the same work, or a new one."""
        if not self._journal_path.exists():
            if self._partial.exists():
                self.notes.append(f"{self._partial.name} has no journal: all is read anew")
            return self._new
        try:
            found = read_model(self._journal_path, Journal, "journal", "", FORMAT)
        except SuiteError as error:
            self.notes.append(f"{error.where}: {error.cause}: all is read anew")
            return self._new
        changed = self._changed(found)
        if changed is not None:
            self.notes.append(f"what {self._partial.name} holds is not used: {changed}")
            return self._new
        if found.complete:
            self.notes.append("all texts were read before")
        elif found.done:
            self.notes.append(f"{found.done:,} texts were read before; going on after them")
        return found

    def _changed(self, found: Journal) -> str | None:
        """Why an earlier command's part does not belong to this work; None: it does."""
        if not self._resumes:
            return "standard input cannot be read again"
        if found.model != self._new.model:
            return "the model was another one"
        if found.inputs != self._new.inputs:
            return "the input was another, or has changed"
        names = sorted(found.options.keys() | self._new.options.keys())
        other = [n for n in names if found.options.get(n) != self._new.options.get(n)]
        if other:
            return f"options were others: {', '.join(f'--{name}' for name in other)}"
        return None if self._is_sound(found) else "a part of it is missing"

    def _is_sound(self, found: Journal) -> bool:
        """Whether all that a journal tells of is there, be it that `finish` was cut off."""
        if not found.complete:
            sizes = _size(self._partial), _size(self._partial_errors)
            return sizes[0] >= found.size and sizes[1] >= found.errors_size
        in_place = not self._partial.exists() and self.path.exists()
        failures = self._partial_errors.exists() or self.errors_path.exists()
        return (in_place or _size(self._partial) == found.size) and (failures or not found.failed)

    def write(self, rows: Sequence[Row]) -> None:
        """Adds the rows of the next texts, and notes that they are there.

        Raises:
            SuiteError: the disk is full, or something else stands in the way; what was noted stays.
        """
        kept, failures = _apart(rows)
        contents = _lines(kept), _lines(failures)
        with _told(self.path):
            for descriptor, content in zip(self._files, contents, strict=True):
                left = memoryview(content)
                while left:  # not by a buffer, which would write what failed once more
                    left = left[os.write(descriptor, left) :]
                if content and self._resumes:
                    os.fsync(descriptor)
        self._note(
            done=self.done + len(rows),
            failed=self.failed + len(failures),
            size=self.journal.size + len(contents[0]),
            errors_size=self.journal.errors_size + len(contents[1]),
        )

    def _note(self, **changes: int | bool) -> None:
        self.journal = self.journal.model_copy(update=changes)
        if self._resumes:
            write_atomically(self._journal_path, self.journal.model_dump_json())

    def finish(self) -> None:
        """Puts failures and rows in their places; cut off, the same command does the rest.

        Raises:
            SuiteError: the disk is full, or something else stands in the way.
        """
        self._note(complete=True)
        with _told(self.path):
            if self._partial_errors.exists():
                if self.failed:
                    self._partial_errors.replace(self.errors_path)
                else:
                    self._partial_errors.unlink()
                    self.errors_path.unlink(missing_ok=True)  # of another command of old
            if self._partial.exists():
                self._put_in_place()
            self._journal_path.unlink(missing_ok=True)
            _flush_folder(self.path.parent)

    def _put_in_place(self) -> None:
        whole = self._partial
        if self.path.suffix == PARQUET:
            whole = _beside(self.path, PARQUET)
            with open_regular(self._partial) as lines:
                write_rows(lines, whole, self.work.found, with_text=self.work.with_text)
        descriptor = os.open(whole, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        whole.replace(self.path)
        self._partial.unlink(missing_ok=True)

    def close(self) -> None:
        """Closes the files, whether or not all is done."""
        for descriptor in getattr(self, "_files", ()):
            os.close(descriptor)


@contextmanager
def opened_output(path: Path, work: Work) -> Iterator[FileOutput]:
    """The output of a path, held against other processes.

    Args:
        path: ends in `.jsonl`, `.ndjson`, `.json` or `.parquet`.
        work: what decides its rows.

    Raises:
        SuiteError: it has another ending, is there already, cannot be written, or another process
            writes it; or pyarrow is not installed where it is needed.
    """
    if path.suffix not in (*LINES, PARQUET):
        raise SuiteError(
            "is no file that rows can be written to, by its ending",
            where=path,
            remedy=f"Name it {path.stem}.jsonl, or {path.stem}.parquet.",
        )
    if path.suffix == PARQUET:
        require_parquet()
    lock = _beside(path, ".lock")
    busy = SuiteError(
        "another process writes it",
        where=path,
        remedy="Wait until it has ended, or name another --out.",
    )
    with ExitStack() as stack:
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(lock, busy))
        stack.callback(_gone, lock)  # while it is held: the next process makes a new one
        output = FileOutput(path, work)
        stack.callback(output.close)
        yield output


def _gone(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _beside(path: Path, ending: str = "") -> Path:
    return path.with_name(f".{path.name}.partial{ending}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _opened_at(path: Path, size: int) -> int:
    """A file to be added to, cut to what is known to be sound."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
    os.ftruncate(descriptor, size)
    return descriptor


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # some file systems cannot
        os.fsync(descriptor)
    os.close(descriptor)


def _apart(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows, and those of texts that failed."""
    return [row for row in rows if ERROR not in row], [row for row in rows if ERROR in row]


def _lines(rows: Sequence[Row]) -> bytes:
    return "".join([f"{_ENCODE(row)}\n" for row in rows]).encode()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tells what the system refuses as a mistake that a user can mend."""
    try:
        yield
    except OSError as error:
        cause = f"cannot be written: {error.strerror or error}"
        raise SuiteError(cause, where=path, remedy=GOES_ON) from error
