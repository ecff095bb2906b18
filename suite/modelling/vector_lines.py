"""The lines of a file of word vectors, plain or packed, within the bounds of such files.

Whatever the file is, reading it ends, and takes little memory: a line, the file's share of what it
unpacks to, and the numbers of a word are bounded.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from suite.errors import SuiteError
from suite.files import content_digest
from suite.modelling.open_vocabulary import halved

LONGEST_LINE = 2**20
"""Bytes; a word and 300 numbers take 3,000."""
MOST_NUMBERS = 20_000
"""Of a word."""
MOST_TIMES, UNPACKED_AT_ALL = 20, 2**24
"""How many bytes may come of a packed one, of GloVe's files come 3, and how many in any case."""
_DAMAGED = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(RuntimeError, ValueError, KeyError, OverflowError),
)
"""What unpackers raise at a file that is damaged, or packed in a way that they do not know."""
_REMEDY = "Name a file in GloVe's format with --vectors (plain, .gz or .zip)."


class Found(NamedTuple):
    """What was read of a file.

    Attributes:
        wanted: the vectors of the wanted words, in the order of the file.
        first: those of the file's first words, float16.
        width: numbers per word.
    """

    wanted: dict[str, Float[np.ndarray, " width"]]
    first: dict[str, Float[np.ndarray, " width"]]
    width: int


def vectors_of(wanted: AbstractSet[str], lines: Iterable[str], path: Path, first: int = 0) -> Found:
    """The vectors of the wanted words, and of the first ones.

    Of a word that stands there twice, the first one counts.

    Args:
        wanted: words.
        lines: of the file.
        path: of the file, for errors.
        first: how many of its words are kept, whatever they are.

    Raises:
        SuiteError: a line is no word with as many finite numbers as the lines before have.
    """
    found = Found({}, {}, 0)
    width = 0
    for number, line in enumerate(lines, start=1):
        fields = line.rstrip().count(" ")
        if number == 1 and fields == 1:  # word2vec's heading: rows and width
            continue
        width = width or fields
        if fields != width:
            raise _damaged(f"{fields} numbers where the lines before have {width}", path, number)
        if not 0 < width <= MOST_NUMBERS:
            raise SuiteError(
                f"{width} numbers, where a word has 1 to {MOST_NUMBERS}",
                where=f"{path}: line {number}",
                remedy="Expected a word and its numbers, separated by single spaces.",
            )
        word, _, rest = line.partition(" ")
        missing = word in wanted and word not in found.wanted
        early = len(found.first) < first and word not in found.first
        if missing or early:
            numbers = _parse(rest, width, path, number)
            if missing:
                found.wanted[word] = numbers
            if early:
                found.first[word] = halved(numbers)
    return found._replace(width=width)


def _parse(numbers: str, width: int, path: Path, line: int) -> Float[np.ndarray, " width"]:
    try:
        found = np.array(numbers.split(), dtype=np.float32)
    except ValueError as error:
        raise SuiteError(
            f"a field is not a number ({str(error)[:100]})",
            where=f"{path}: line {line}",
            remedy="Expected a word and its numbers, separated by single spaces.",
        ) from error
    if len(found) != width:
        raise _damaged(f"{len(found)} numbers where the lines before have {width}", path, line)
    if not np.isfinite(found).all():
        raise _damaged("a number that is not finite (NaN or infinite)", path, line)
    return found


def _damaged(cause: str, path: Path, line: int) -> SuiteError:
    remedy = "The file is damaged or mixes two vector files; get it anew."
    return SuiteError(cause, where=f"{path}: line {line}", remedy=remedy)


class _Hashed(io.RawIOBase):
    """A file whose bytes are hashed as they are read, so that one reading serves both."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        """That it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads and hashes."""
        count = self._file.readinto(buffer)
        self._digest.update(memoryview(buffer)[:count])
        return count

    def digest(self) -> str:
        """Twelve digits over the whole file, as `content_digest` gives them; reads what is left."""
        while self.read(2**20):
            pass
        return self._digest.hexdigest()[:12]


@contextmanager
def open_vectors(path: Path) -> Iterator[tuple[Iterable[str], Callable[[], str]]]:
    """The lines, and what gives the file's digest when they have been read.

    Raises:
        SuiteError: it is no file, not packed as its name says, not text, or larger than vectors
            can be; also while the lines are read.
    """
    try:
        found = path.stat()
        if stat.S_ISFIFO(found.st_mode) or stat.S_ISCHR(found.st_mode):
            raise SuiteError("is no regular file", where=path, remedy=_REMEDY)
        with _opened(path, found.st_size) as opened:
            yield opened
    except SuiteError:
        raise
    except UnicodeDecodeError as error:
        raise SuiteError(
            f"is not UTF-8 text ({error.reason})", where=path, remedy="Convert it to UTF-8."
        ) from error
    except _DAMAGED as error:
        raise SuiteError(
            f"word vectors cannot be read: {str(error)[:200] or type(error).__name__}",
            where=path,
            remedy=_REMEDY,
        ) from error


@contextmanager
def _opened(path: Path, size: int) -> Iterator[tuple[Iterable[str], Callable[[], str]]]:
    if path.suffix == ".zip":  # read in no order
        with zipfile.ZipFile(path) as archive:
            member = _member(archive, path)
            if member.file_size > _most(size):
                raise _grows(path)
            with archive.open(member) as unpacked:
                yield _lines(unpacked, path, lambda: _most(size)), lambda: content_digest(path)
        return
    with io.FileIO(path) as plain:
        hashed = _Hashed(plain)
        file = io.BufferedReader(hashed, 2**18)
        if path.suffix == ".gz":
            with gzip.open(file) as unpacked:
                yield _lines(unpacked, path, lambda: _most(plain.tell())), hashed.digest
        else:
            yield _lines(file, path, lambda: _most(plain.tell())), hashed.digest


def _most(packed: int) -> int:
    """The bytes that may come of so many."""
    return UNPACKED_AT_ALL + MOST_TIMES * packed


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    """The file of 300 numbers a word, where the archive holds several."""
    found = [m for m in archive.infolist() if m.filename.endswith((".txt", ".vec"))]
    if not found:
        raise SuiteError("holds no .txt file", where=path, remedy=_REMEDY)
    member = next((m for m in found if "300d" in m.filename), found[0])
    if member.flag_bits & 1:
        raise SuiteError(
            f"{member.filename[:100]!a} in it is encrypted",
            where=path,
            remedy="Unpack it with its password, and name the file in it.",
        )
    return member


def _lines(file: Any, path: Path, most_by_now: Callable[[], int]) -> Iterator[str]:
    """The lines as text; what unpacks to more than vectors do is left as soon as that is known."""
    unpacked = number = most = 0
    while line := file.readline(LONGEST_LINE):
        unpacked, number = unpacked + len(line), number + 1
        if len(line) == LONGEST_LINE:
            raise SuiteError(
                f"has {LONGEST_LINE:,} bytes or more",
                where=f"{path}: line {number}",
                remedy="Expected a word and its numbers a line, as in glove.6B.300d.txt.",
            )
        if unpacked > most:
            most = most_by_now()
            if unpacked > most:
                raise _grows(path)
        yield line.decode("utf-8")


def _grows(path: Path) -> SuiteError:
    return SuiteError(
        f"unpacks to more than {MOST_TIMES} times its size, as no vectors do",
        where=path,
        remedy="Unpack it, look at it, and name the file in it if it is right.",
    )
