"""YAML as users write it: plain values, of a depth and a size that a command can bear."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from suite.errors import SuiteError
from suite.files import read_regular, readable

MOST_DEPTH = 50
MOST_VALUES = 100_000
"""Of lists and tables in one another, and of values; what an anchor repeats counts each time."""
MOST_SHOWN = 300
_LARGEST = 2**63
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = (str, int, float, type(None))  # bool is an int


class NotPlainError(ValueError):
    """What is wrong with a text, as a phrase."""


def parse_yaml(text: str) -> Any:
    """The value that a text holds: of lists, tables, texts, numbers, truth values and nothing.

    Raises:
        NotPlainError: it is not YAML, or holds what no option takes.
    """
    try:
        # Before it is built, which takes C's stack as deep as the text is.
        _refuse_depth(yaml.parse(text, Loader=_LOADER))
        found = yaml.load(text, Loader=_LOADER)
    except NotPlainError:
        raise
    except Exception as error:  # a tag or a number that is none raises whatever Python raises
        said = " ".join(str(error).split()) or type(error).__name__
        raise NotPlainError(f"is not YAML ({said[:MOST_SHOWN]})") from error
    _refuse_what_is_not_plain(found)
    return found


def read_yaml(path: Path, remedy: str) -> Any:
    """The value that a file holds.

    Args:
        path: of the file.
        remedy: what helps where it is none of YAML.

    Raises:
        SuiteError: it cannot be read, or holds what `parse_yaml` refuses.
    """
    with readable(path, remedy):
        content = read_regular(path)
    try:
        return parse_yaml(content.decode())
    except UnicodeDecodeError as error:
        cause = f"is not UTF-8 text ({error.reason} at byte {error.start})"
        raise SuiteError(cause, where=path, remedy=remedy) from error
    except NotPlainError as error:
        raise SuiteError(str(error), where=path, remedy=remedy) from error


def _refuse_depth(events: Iterable[Any]) -> None:
    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        _bound(depth)


def _bound(depth: int) -> None:
    if depth > MOST_DEPTH:
        raise NotPlainError(f"holds more than {MOST_DEPTH} lists or tables in one another")


def _refuse_what_is_not_plain(value: Any) -> None:
    left = [(value, 0)]
    for count in range(MOST_VALUES):
        if not left:
            return
        one, depth = left.pop()
        _bound(depth)
        if isinstance(one, dict):
            left += [(inner, depth + 1) for pair in one.items() for inner in pair]
        elif isinstance(one, list):
            left += [(inner, depth + 1) for inner in one]
        else:
            _refuse_unless_plain(one)
        if count + len(left) > MOST_VALUES:
            break
    raise NotPlainError(f"holds more than {MOST_VALUES:,} values")


def _refuse_unless_plain(value: Any) -> None:
    if not isinstance(value, _PLAIN):
        kind = type(value).__name__
        raise NotPlainError(f"holds a {kind}, where a text would stand in quotes")
    if isinstance(value, int) and abs(value) >= _LARGEST:
        raise NotPlainError("holds a number of more than 63 bits")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise NotPlainError(f"holds half a character ({value[:MOST_SHOWN]!a})") from error
