"""The one exception for what a user can mend, and the wording of its messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import partial
from typing import Any

from pydantic import ValidationError

MOST_SHOWN = 200
"""Characters of a name that nothing answers to."""


class SuiteError(Exception):
    """A mistake in the input or in the call, told without a traceback.

    Args:
        cause: what is wrong, as a sentence without a full stop.
        where: the file, with line or record where there is one.
        remedy: what the reader can do about it.
    """

    def __init__(self, cause: str, *, where: object = None, remedy: str | None = None) -> None:
        self.cause = cause
        self.where = None if where is None else str(where)
        self.remedy = remedy
        place = f"{self.where}: " if self.where else ""
        advice = f" {remedy}" if remedy else ""
        super().__init__(f"{place}{cause}.{advice}")

    def __reduce__(self) -> tuple[Any, ...]:
        """As it was made, for another process."""
        return partial(SuiteError, where=self.where, remedy=self.remedy), (self.cause,)


def first_mistake(error: ValidationError, within: str = "") -> str:
    """The first field that is not as it should be and what is wrong with it: `within.field: cause`.

    Either part of the name may be missing: what is not JSON at all is wrong in no field.
    """
    first = error.errors()[0]
    field = ".".join(filter(None, (within, *map(str, first["loc"]))))
    cause = first["msg"].removeprefix("Value error, ")
    return f"{field}: {cause}" if field else cause


def unknown(kind: str, name: str, known: Iterable[str]) -> SuiteError:
    """The error for a name that nothing answers to, with the nearest known one."""
    names, name = sorted(known), name[:MOST_SHOWN]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return SuiteError(f"unknown {kind} {name!r}", remedy=f"{hint}Known: {', '.join(names)}.")
