"""Reads back the `.wandb` file of an offline run, since the package itself has no reader.

The file is LevelDB's log format behind a header of W&B's own (LevelDB, doc/log_format.md; wandb,
core/pkg/leveldb): blocks of 32 KiB, the header counting towards the first, hold chunks of
checksum (4 bytes), length (2), type (1) and payload; a record is one whole chunk, or a first, any
number of middle and a last one. The checksum is the plain CRC-32 of zlib over type and payload,
not LevelDB's own masked CRC-32C.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record

BLOCK = 32 * 1024
FILE_HEADER = struct.Struct("<4sHB")
CHUNK_HEADER = struct.Struct("<IHB")
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def read_records(path: Path) -> list[Record]:
    """All records of the file; an AssertionError says where it is broken or ends too early."""
    records = []
    for payload in _payloads(path.read_bytes()):
        record = Record()
        record.ParseFromString(payload)
        records.append(record)
    return records


def history(records: Iterable[Record]) -> list[dict[str, Any]]:
    """The logged rows, in order."""
    return [_values(r.history.item) for r in records if r.WhichOneof("record_type") == "history"]


def run_summary(records: Iterable[Record]) -> dict[str, Any]:
    """The summary after all its updates."""
    final: dict[str, Any] = {}
    for record in records:
        if record.WhichOneof("record_type") == "summary":
            final |= _values(record.summary.update)
    return final


def run_config(records: Iterable[Record]) -> dict[str, Any]:
    """What the run was started with."""
    runs = [r.run for r in records if r.WhichOneof("record_type") == "run"]
    return _values(runs[0].config.update)


def _values(items: Iterable[Any]) -> dict[str, Any]:
    return {i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in items}


def _payloads(data: bytes) -> Iterator[bytes]:
    assert FILE_HEADER.unpack_from(data) == (b":W&B", 0xBEE1, 0), f"no W&B header: {data[:7]!r}"
    parts: list[bytes] = []
    for kind, payload in _chunks(data):
        assert (kind in (WHOLE, FIRST)) == (not parts), f"chunk type {kind} out of place"
        parts.append(payload)
        if kind in (WHOLE, LAST):
            yield b"".join(parts)
            parts = []
    assert not parts, "the last record is cut off"


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = FILE_HEADER.size
    while at < len(data):
        left = BLOCK - at % BLOCK
        if left < CHUNK_HEADER.size:
            assert not any(data[at : at + left]), f"padding at {at} is not zero"
            at += left
            continue
        checksum, length, kind = CHUNK_HEADER.unpack_from(data, at)
        end = at + CHUNK_HEADER.size + length
        assert end <= len(data), f"the chunk at {at} is cut off"
        assert kind in (WHOLE, FIRST, MIDDLE, LAST), f"chunk type {kind} at {at}"
        assert zlib.crc32(data[at + 6 : end]) == checksum, f"wrong checksum at {at}"
        yield kind, data[at + CHUNK_HEADER.size : end]
        at = end
