"""Files that appear whole or not at all, and what names a file by its content."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from suite.errors import SuiteError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes beside the target, flushes to the disk, and renames.

    Raises:
        SuiteError: the folder cannot be written or the disk is full; the old file is untouched.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):  # what stands in the way of writing may forbid this as well
            beside.unlink()
        raise SuiteError(
            f"cannot be written: {error.strerror}",
            where=path,
            remedy="Free some space or name another --out; finished runs are kept.",
        ) from error


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
