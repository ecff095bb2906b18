"""What the shell can give and no record, file or screen can hold: refused before it is used."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runners.remote.urls import as_url
from suite.errors import SuiteError
from suite.privacy import without_credentials

NAMES_OF_FILES = frozenset(
    {"--dataset", "--system", "--study", "--pretrained", "--parser", "--out"}
)
"""Options whose texts may name a file or folder, besides those that do nothing else."""


def refuse_what_cannot_be(option: str, value: Any) -> None:
    """Checks a value of the command line, or each of several.

    Args:
        option: by which it was given, as the help spells it.
        value: of any kind.

    Raises:
        SuiteError: a text holds bytes that are not UTF-8, or a file's name is none.
    """
    for one in _texts(value):
        text = str(one)
        if "\0" in text:
            raise SuiteError(f"{option} {text[:100]!r} holds a NUL", remedy="Take it out.")
        _refuse_other_bytes(option, text)
        if isinstance(one, Path):
            _refuse_a_url(option, text)
        if isinstance(one, Path) or option in NAMES_OF_FILES:
            _refuse_no_name(option, text)


def _texts(value: Any) -> Iterator[str | Path]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str | Path):
        yield value


def _refuse_other_bytes(option: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SuiteError(
            f"{option} {text[:100]!a} holds bytes that are not UTF-8",
            remedy="Write it in UTF-8, or rename the file or folder: records are UTF-8.",
        ) from error


def _refuse_a_url(option: str, text: str) -> None:
    url = as_url(text)
    if url is not None and not os.path.lexists(text):
        raise SuiteError(
            f"{option} takes a path of this machine, and {without_credentials(url)} is a URL",
            remedy="Copy what is there to a folder here. run-suite --out alone takes a URL, and "
            "leaves its report there.",
        )


def _refuse_no_name(option: str, text: str) -> None:
    try:
        os.lstat(text)
        name = Path(text).resolve().name
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno not in {errno.ENAMETOOLONG, errno.ELOOP}:
            return  # that it is not there, or not yet, is for the command to say
        reason = error.strerror if isinstance(error, OSError) else "Its links lead in a circle"
        raise SuiteError(
            f"{option} {text[:100]!r}: {reason}", remedy="Name a file or folder that can be."
        ) from error
    _refuse_other_bytes(option, name)
