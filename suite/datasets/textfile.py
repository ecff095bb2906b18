"""A file's text, with its encoding checked and its bytes identified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from suite.errors import SuiteError

_BOM = b"\xef\xbb\xbf"


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
        blob: git blob id of its bytes.
    """

    path: Path
    text: str
    blob: str

    @classmethod
    def read(cls, path: Path) -> TextFile:
        """Reads a file.

        Raises:
            SuiteError: it cannot be read, is empty, or is not UTF-8.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SuiteError(
                f"cannot be read: {error.strerror}",
                where=path,
                remedy="Check path and permissions.",
            ) from error
        try:
            text = content.removeprefix(_BOM).decode()
        except UnicodeDecodeError as error:
            offset = error.start + (len(_BOM) if content.startswith(_BOM) else 0)
            line = content.count(b"\n", 0, offset) + 1
            raise SuiteError(
                f"byte {offset} (0x{content[offset]:02x}) is not UTF-8",
                where=f"{path}, line {line}",
                remedy=f"Convert it: iconv -f LATIN1 -t UTF-8 {path.name}.",
            ) from error
        if not text:
            raise SuiteError("is empty", where=path, remedy="Put the whole file in its place.")
        return cls(path, text, git_blob(content))

    def lines(self) -> list[str]:
        """The lines without their ends; a final line end adds no line.

        Only LF and CR LF end a line: a token may hold other characters that Unicode calls line
        ends.
        """
        lines = self.text.replace("\r\n", "\n").split("\n")
        return lines[:-1] if lines[-1] == "" else lines
