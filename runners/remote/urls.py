"""What of the command line is a URL, and not a path of this machine."""

from __future__ import annotations

import re

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://.")
_SWALLOWED = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(?=.)")


def is_url(text: str) -> bool:
    """Whether it begins as a URL does, as `s3://bucket/path`."""
    return _URL.match(text) is not None


def as_url(path: str) -> str | None:
    """The URL that a path was made from, which has swallowed a slash; None for any other path."""
    found = _SWALLOWED.match(path)
    return None if found is None else f"{found[1]}://{path[found.end() :]}"
