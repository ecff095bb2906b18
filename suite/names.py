"""Names that come from files and folders, fit to name a folder and to stand in a report."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

_UNFIT = re.compile(r"[^\w.+-]+")
_MARKUP = re.compile(r"[\x00-\x1f\x7f<>\[\]|`\\]")


def folder_name(name: str) -> str:
    """A name as a folder of an output can have it; another name never has the same.

    What is neither a letter, a digit nor one of `._+-` becomes a dash, and the first digits of the
    whole name's SHA-256 follow.
    """
    clean = _UNFIT.sub("-", name)
    if clean == name and name.strip("."):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{clean.strip('.')}-{digest}"


def printable(text: str) -> str:
    """Text of a file on one line, without what would steer a terminal."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)


def _plain(title: str) -> str:
    found = _MARKUP.search(title)
    if found is not None or title.startswith(("=", "+", "-", "@")):
        mark = found[0] if found else title[0]
        raise ValueError(f"a title holds {mark!r}, which a report or a sheet would take for markup")
    return title


def _no_path(name: str) -> str:
    if not name.strip("."):
        raise ValueError(f"{name!r} names a folder above, not a variant")
    return name


PlainTitle: TypeAlias = Annotated[str, AfterValidator(_plain)]
"""What tables print: one line without HTML, links, code or the beginning of a formula."""

FolderName: TypeAlias = Annotated[str, AfterValidator(_no_path)]
"""What names a folder: not `.` or `..`."""
