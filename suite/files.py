"""Files that appear whole or not at all."""

from __future__ import annotations

import os
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
        beside.unlink(missing_ok=True)
        raise SuiteError(
            f"cannot be written: {error.strerror}",
            where=path,
            remedy="Free some space or name another --out; finished runs are kept.",
        ) from error
