"""Records out of a stream of bytes, one after the other: lines, and the objects of a JSON list."""

from __future__ import annotations

import codecs
import json
import os
import select
from collections.abc import Iterator
from typing import Any, BinaryIO

LARGEST = 2**28
"""Bytes of one text or record that are read; more is no text but a mistake."""
BLOCK = 2**16
TOO_LARGE = f"is larger than {LARGEST // 2**20} MiB"
_BLANK = " \t\r\n"


class BadRecordError(Exception):
    """A record that is none; its cause is the message."""


def lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """The lines of a stream without their ends; None for one of more than `LARGEST` bytes."""
    while line := stream.readline(LARGEST + 1):
        if len(line) > LARGEST and not line.endswith(b"\n"):
            while not line.endswith(b"\n") and (line := stream.readline(BLOCK)):
                pass
            yield None
        else:
            yield line.removesuffix(b"\n").removesuffix(b"\r")


def lines_as_they_come(descriptor: int) -> Iterator[list[bytes | None]]:
    """The lines of a pipe or terminal, as many at a time as lie there; see `lines`.

    Args:
        descriptor: of the open pipe.
    """
    parts: list[bytes] = []
    size = 0
    found: list[bytes | None] = []
    while True:
        if found and not select.select([descriptor], [], [], 0)[0]:
            yield found
            found = []
        block = os.read(descriptor, BLOCK)
        if not block:
            break
        *whole, rest = block.split(b"\n")
        for end in whole:
            parts.append(end)
            found.append(None if size + len(end) > LARGEST else b"".join(parts).removesuffix(b"\r"))
            parts, size = [], 0
        size += len(rest)
        if rest and size <= LARGEST:
            parts.append(rest)
        if len(found) >= BLOCK // 16:
            yield found
            found = []
    if size:
        found.append(None if size > LARGEST else b"".join(parts).removesuffix(b"\r"))
    if found:
        yield found


def decoded(line: bytes | None) -> str:
    """The text of a line.

    Raises:
        BadRecordError: it is too large, or not UTF-8.
    """
    if line is None:
        raise BadRecordError(TOO_LARGE)
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        byte = line[error.start]
        raise BadRecordError(f"byte {error.start} (0x{byte:02x}) is not UTF-8") from error


def parsed(line: bytes | None) -> Any:
    """What a line of JSON holds.

    Raises:
        BadRecordError: it is no JSON, or no text at all.
    """
    text = decoded(line)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadRecordError(f"broken JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:
        raise BadRecordError(_TOO_DEEP) from error


_TOO_DEEP = "JSON that is nested too deeply or has a number of thousands of digits"


def list_items(stream: BinaryIO) -> Iterator[Any]:
    """The items of a JSON list, read one by one.

    Raises:
        BadRecordError: it is broken at the next item; what follows cannot be told.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    scan = json.JSONDecoder().raw_decode
    buffer, place, ended, begun = "", 0, False, False
    while True:
        while place < len(buffer) and buffer[place] in _BLANK + ("," if begun else "["):
            begun = begun or buffer[place] == "["
            place += 1
        if place < len(buffer) and buffer[place] == "]":
            return
        try:
            found, end = scan(buffer, place)
            if end < len(buffer) or ended:
                yield found
                place = end
                continue
        except json.JSONDecodeError as error:
            if ended:
                raise BadRecordError(f"broken JSON: {error.msg}, and the file ends") from error
        except (ValueError, RecursionError) as error:
            raise BadRecordError(_TOO_DEEP) from error
        if len(buffer) - place > LARGEST:
            raise BadRecordError(f"{TOO_LARGE}, or broken JSON")
        block = stream.read(max(BLOCK, len(buffer) - place))
        ended = not block
        try:
            buffer = buffer[place:] + decoder.decode(block, final=ended)
        except UnicodeDecodeError as error:
            raise BadRecordError(f"holds 0x{error.object[error.start]:02x}, not UTF-8") from error
        place = 0
