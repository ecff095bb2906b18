"""Files: written whole or not at all, read as what they claim to be, named by their content."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from suite.errors import SuiteError, first_mistake

Model = TypeVar("Model", bound=BaseModel)
ROOM = "Free some space or name another --out; finished runs are kept."
"""What helps where nothing can be written."""
AGAIN = "Delete the run's folder and run the suite again."
"""What helps where a file of a run is damaged."""
TRACKED = frozenset({"wandb", "mlflow", "tensorboard"})
"""Folders of trackers, in which nothing is tidied up for them."""
_LARGEST = 2**63
_LONG = re.compile(rb"\d{19}")
"""In every text that holds so large a number, and in few others."""
_LEFTOVER = re.compile(r"\..+\.\d+")
_LEFTOVER_FOLDER = re.compile(r"\.together\.\d+")


class StrictModel(BaseModel):
    """What a file holds: never changed once made, and without fields that nobody knows.

    A diverged run's loss is NaN or infinite, which JSON has no number for: it is written as text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes beside the target, flushes to the disk, and renames.

    The file beside it, `.NAME.PID`, is held by the kernel's lock until it is whole, so that
    `remove_leftovers` knows those that nobody writes any more.

    Raises:
        SuiteError: the folder cannot be written, the disk is full, or the text is none that UTF-8
            has; the old file is untouched.
    """
    data = _encoded(content, path) if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(_made_anew(beside), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            beside.replace(path)
    except OSError as error:
        with suppress(OSError):  # what stands in the way of writing may forbid this as well
            beside.unlink()
        raise SuiteError(
            f"cannot be written: {error.strerror}",
            where=path,
            remedy=ROOM,
        ) from error


def write_together(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Writes several files of a folder, each whole, and none before all are on the disk.

    They are made in a folder `.together.PID` of it, held as the file of `write_atomically` is, and
    renamed when the last is on the disk, in the order given.

    Args:
        folder: is made where there is none.
        files: name, which may lead into folders below -> content.

    Raises:
        SuiteError: the folder cannot be written, the disk is full, a file's place is taken by a
            folder, or a text is none that UTF-8 has; the old files are untouched, unless it is a
            renaming that fails.
    """
    contents = {
        folder / name: _encoded(content, folder / name) if isinstance(content, str) else content
        for name, content in files.items()
    }
    beside, path = folder / f".together.{os.getpid()}", folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _held_folder(beside):
            for number, (path, content) in enumerate(contents.items()):
                if path.is_dir() and not path.is_symlink():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                with (beside / str(number)).open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
            for path in contents:
                path.parent.mkdir(parents=True, exist_ok=True)
            for number, path in enumerate(contents):
                (beside / str(number)).replace(path)
    except OSError as error:
        raise SuiteError(
            f"cannot be written: {error.strerror}",
            where=path,
            remedy=ROOM,
        ) from error


@contextmanager
def _held_folder(path: Path) -> Iterator[None]:
    """An empty folder that was not there, held by the kernel's lock and gone afterwards."""
    while True:
        if path.is_symlink() or path.is_file():
            path.unlink()  # planted
        shutil.rmtree(path, ignore_errors=True)  # of a process of this number that has died
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            break
        os.close(descriptor)  # taken for a leftover before it was held
    try:
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def _encoded(text: str, path: Path) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        around = text[max(0, error.start - 20) : error.end + 20]
        raise SuiteError(
            f"cannot be written: {around!a} holds half a character",
            where=path,
            remedy="Take it out of the name or the file that it comes from.",
        ) from error


def _made_anew(path: Path) -> int:
    """A descriptor of a file that was not there: neither one's own of old, nor another's link."""
    while True:
        with suppress(FileNotFoundError):
            path.unlink()  # by a process of this number that has died, or planted
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # taken for a leftover before it was held


def remove_leftovers(folder: Path) -> None:
    """Removes what `write_atomically` and `write_together` were killed at, here and below."""
    for place, below, names in os.walk(folder):
        below[:] = [name for name in below if name not in TRACKED]
        ours = list(filter(_LEFTOVER_FOLDER.fullmatch, below))
        below[:] = [name for name in below if name not in ours]
        for name in filter(_LEFTOVER.fullmatch, [*names, *ours]):
            with suppress(OSError):
                _remove_unless_held(Path(place, name))


def _remove_unless_held(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while it is written
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


def open_regular(path: Path) -> BinaryIO:
    """A file, opened to be read; a pipe or a device, which might never end, is none.

    Raises:
        OSError: there is none, or something else is there.
    """
    try:
        # Without waiting, as the opening of a pipe does until someone writes to it.
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except ValueError as error:
        raise OSError(errno.EINVAL, f"its name is none ({error})") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no regular file")
    return file


def read_regular(path: Path) -> bytes:
    """The content of a file; see `open_regular`."""
    with open_regular(path) as file:
        return file.read()


@contextmanager
def readable(path: Path, remedy: str) -> Iterator[None]:
    """Tells what the system refuses while a file is read as a mistake that a user can mend.

    Raises:
        SuiteError: in place of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise SuiteError(f"cannot be read: {reason}", where=path, remedy=remedy) from error


def read_model(
    path: Path, model: type[Model], what: str, remedy: str, form: int | None = None
) -> Model:
    """Reads a JSON file that holds a model.

    Args:
        path: of the file.
        model: of its content.
        what: the file is, as an error calls it.
        remedy: what helps where it is not.
        form: number of its format, which the file's field `format` holds; None: it has none.

    Raises:
        SuiteError: the file cannot be read, is of another format, or holds something else.
    """
    with readable(path, remedy):
        content = read_regular(path)
    if form is not None:
        _refuse_another_format(content, form, what, path, remedy)
    try:
        return _validated(model, content)
    except ValidationError as error:
        cause = f"not a {what} of this version: {first_mistake(error)}"
        raise SuiteError(cause, where=path, remedy=remedy) from error
    except OverflowError as error:
        raise SuiteError(f"is no {what}: {error}", where=path, remedy=remedy) from error


def _validated(model: type[Model], content: bytes) -> Model:
    """The model that JSON holds.

    Raises:
        ValidationError: it holds another one.
        OverflowError: it holds an integer that nothing counts, and no float can hold.
    """
    found = model.model_validate_json(content)
    left = [from_json(content)] if _LONG.search(content) else []
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            left += one.values() if isinstance(one, dict) else one
        elif isinstance(one, int) and abs(one) >= _LARGEST:
            raise OverflowError("it holds a number of more than 63 bits")
    return found


def _refuse_another_format(content: bytes, form: int, what: str, path: Path, remedy: str) -> None:
    try:
        found = json.loads(content)["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return  # what is not such a file at all is named by its first mistake
    if isinstance(found, int) and found != form:
        raise SuiteError(
            f"is a {what} of format {found}, and this version reads format {form}",
            where=path,
            remedy=remedy,
        )


def read_lines(
    path: Path, model: type[Model], what: str, *, grows: bool = False
) -> Iterator[Model]:
    """The lines of a `.jsonl` file of a run, one after the other.

    Args:
        path: of the file.
        model: of a line.
        what: a line is, as an error calls it.
        grows: whether it is written line by line; a last one without an end is left out then, for
            whoever wrote it was killed in the midst of it.

    Raises:
        SuiteError: a line is not what it should be, or the file cannot be read.
    """
    with readable(path, AGAIN), open_regular(path) as file:
        for number, line in enumerate(file, start=1):
            if grows and not line.endswith(b"\n"):
                return
            try:
                yield _validated(model, line)
            except (ValidationError, OverflowError) as error:
                cause = first_mistake(error) if isinstance(error, ValidationError) else error
                raise SuiteError(
                    f"line {number} is not {what} of this version: {cause}",
                    where=path,
                    remedy=AGAIN,
                ) from error


def write_lines(path: Path, lines: Iterable[BaseModel]) -> None:
    """Writes a `.jsonl` file, a model on each line, as `write_atomically` does.

    Raises:
        SuiteError: likewise.
    """
    write_atomically(path, "".join(f"{line.model_dump_json()}\n" for line in lines))


def content_digest(*paths: Path) -> str:
    """Twelve hexadecimal digits of SHA-256 over the files' contents, one after the other.

    Raises:
        OSError: one of them cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()[:12]
