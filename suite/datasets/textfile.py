"""A file's text, with its encoding told and its bytes identified."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

from suite.errors import SuiteError
from suite.files import read_regular, readable

_MARKS = {
    b"\xef\xbb\xbf": "UTF-8",
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""Byte order marks, longer ones of the same beginning first."""
UTF8 = "UTF-8"
CHINESE = "GB18030"
"""Tried where a file is not UTF-8; it holds GBK and GB 2312."""
GZIP = ".gz"
LARGEST = 4 * 2**30
"""Bytes that a compressed file may unpack to."""


def git_blob(content: bytes) -> str:
    """The id under which git stores these bytes: SHA-1 over `blob <length>`, NUL and the bytes."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class TextFile:
    """A text file in memory.

    Attributes:
        path: where it was read from.
        text: its text without a byte order mark; line ends as they are.
        blob: git blob id of its bytes, unpacked.
        encoding: of its bytes.
    """

    path: Path
    text: str
    blob: str
    encoding: str = UTF8

    @property
    def name(self) -> str:
        """The file's name in lower case, without the ending of a compressed file."""
        return self.path.name.lower().removesuffix(GZIP)

    @classmethod
    def read(cls, path: Path) -> TextFile:
        """Reads a file.

        Raises:
            SuiteError: it cannot be read, is empty, or its encoding cannot be told.
        """
        content = _content(path)
        encoding = next((e for mark, e in _MARKS.items() if content.startswith(mark)), None)
        try:
            text = content.decode("utf-8-sig" if encoding in (None, UTF8) else encoding)
        except UnicodeDecodeError as error:
            if encoding is not None:
                raise _undecodable(path, content, error, encoding) from error
            text, encoding = _chinese(path, content, error), CHINESE
        if not text:
            raise SuiteError("is empty", where=path, remedy="Put the whole file in its place.")
        return cls(path, text, git_blob(content), encoding or UTF8)

    def lines(self) -> list[str]:
        """The lines without their ends; a final line end adds no line.

        Only LF and CR LF end a line: a token may hold other characters that Unicode calls line
        ends.
        """
        lines = self.text.replace("\r\n", "\n").split("\n")
        return lines[:-1] if lines[-1] == "" else lines


def _content(path: Path) -> bytes:
    with readable(path, "Check path and permissions; a folder, a pipe or a device is none."):
        content = read_regular(path)
    return content if not path.name.lower().endswith(GZIP) else _unpacked(path, content)


def _unpacked(path: Path, content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as file:
            unpacked = file.read(LARGEST + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SuiteError(
            f"is not a whole gzip file ({error})", where=path, remedy="Download it again."
        ) from error
    if len(unpacked) > LARGEST:
        raise SuiteError(
            f"unpacks to more than {LARGEST // 2**30} GiB",
            where=path,
            remedy="No dataset here is as large; check what the file is.",
        )
    return unpacked


def _chinese(path: Path, content: bytes, error: UnicodeDecodeError) -> str:
    """The text under the Chinese encodings, if that makes mostly Chinese of what is not ASCII.

    Raises:
        SuiteError: it does not.
    """
    try:
        text = content.decode(CHINESE)
    except UnicodeDecodeError:
        raise _undecodable(path, content, error, UTF8) from error
    foreign = [c for c in text if ord(c) > 127]
    chinese = sum("\u3000" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef" for c in foreign)
    if chinese < 0.9 * len(foreign):
        raise _undecodable(path, content, error, UTF8) from error
    return text


def _undecodable(
    path: Path, content: bytes, error: UnicodeDecodeError, encoding: str
) -> SuiteError:
    line = content.count(b"\n", 0, error.start) + 1
    return SuiteError(
        f"byte {error.start} (0x{content[error.start]:02x}) is not {encoding}",
        where=f"{path}, line {line}",
        remedy="Convert it from its own encoding to UTF-8, as with "
        f"`iconv -f ENCODING -t UTF-8 {path.name}` (`file {path.name}` guesses which it is).",
    )
