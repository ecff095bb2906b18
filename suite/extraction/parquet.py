"""Parquet files: columns of texts in, rows of any size out. The only module that needs pyarrow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from suite.errors import SuiteError

if TYPE_CHECKING:
    import pyarrow

ROWS = 4096
"""Rows that are read or written at once."""
LARGEST_GROUP = 2**25
"""Bytes of rows after which a group ends though it has fewer."""
INSTALL = "`pip install 'relation-suite[parquet]'`; JSON lines need nothing."


def _arrow() -> Any:
    """The package.

    Raises:
        SuiteError: it is not installed.
    """
    try:
        import pyarrow  # noqa: PLC0415 - an extra, and half a second
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        cause = "parquet needs pyarrow, which is not installed"
        raise SuiteError(cause, remedy=INSTALL) from error
    return pyarrow


def require_parquet() -> None:
    """Refuses early what would fail at the end.

    Raises:
        SuiteError: pyarrow is not installed.
    """
    _arrow()


def check_columns(file: BinaryIO, path: Path, field: str) -> None:
    """Refuses a file that has no column of texts.

    Raises:
        SuiteError: the column is missing or of another type, the file is none, or pyarrow is not
            installed.
    """
    arrow = _arrow()
    try:
        schema = arrow.parquet.ParquetFile(file).schema_arrow
    except (arrow.ArrowException, OSError) as error:
        raise SuiteError(
            f"is no whole parquet file: {error}", where=path, remedy="Write or copy it again."
        ) from error
    if field not in schema.names:
        raise SuiteError(
            f"has no column {field!r}",
            where=path,
            remedy=f"Name one with --text-field: {', '.join(schema.names)}.",
        )
    kind = schema.field(field).type
    if arrow.types.is_dictionary(kind):
        kind = kind.value_type
    checks = arrow.types
    if not (checks.is_string(kind) or checks.is_large_string(kind) or checks.is_string_view(kind)):
        raise SuiteError(
            f"the column {field!r} is of the type {kind}, and texts are strings",
            where=path,
            remedy=f"Name another with --text-field: {', '.join(schema.names)}.",
        )


def read_columns(file: BinaryIO, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of a file, with those of some columns that it has.

    Raises:
        OSError: it is damaged.
    """
    arrow = _arrow()
    try:
        parquet = arrow.parquet.ParquetFile(file)
        known = [name for name in dict.fromkeys(names) if name in parquet.schema_arrow.names]
        for batch in parquet.iter_batches(batch_size=ROWS, columns=known):
            yield from batch.to_pylist()
    except arrow.ArrowException as error:
        raise OSError(f"damaged parquet ({error})") from error


def write_rows(lines: Iterable[bytes], path: Path, found: str, *, with_text: bool) -> None:
    """Writes rows that come as JSON lines.

    Args:
        lines: a row each.
        path: of the file, which is whole once this returns.
        found: the rows' column of what was found: `triples`, `facts` or `entities`.
        with_text: whether rows hold their text.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    arrow = _arrow()
    schema = row_schema(found, with_text=with_text)
    remaining = iter(lines)
    with arrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while some := _next_lines(remaining):
            rows = json.loads(b"[" + b",".join(some) + b"]")
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))


def _next_lines(lines: Iterator[bytes]) -> list[bytes]:
    """Some thousand lines, or fewer that are long."""
    some: list[bytes] = []
    size = 0
    while len(some) < ROWS and size < LARGEST_GROUP and (line := next(lines, None)) is not None:
        some.append(line)
        size += len(line)
    return some


def row_schema(found: str, *, with_text: bool) -> pyarrow.Schema:
    """The columns of rows; see `suite.extraction.rows`."""
    arrow = _arrow()
    span = [("start", arrow.int64()), ("end", arrow.int64())]
    surface = [*span, ("text", arrow.string()), ("type", arrow.string())]
    score = ("score", arrow.float64())
    mentions = [("mentions", arrow.list_(arrow.struct(span)))]
    entity = arrow.struct([("text", arrow.string()), ("type", arrow.string()), *mentions])

    def related(extra: list[tuple[str, Any]]) -> Any:
        one = arrow.struct([*extra, *surface])
        return arrow.struct([("head", one), ("relation", arrow.string()), ("tail", one), score])

    columns = {
        "triples": [("triples", arrow.list_(related([])))],
        "entities": [("entities", arrow.list_(arrow.struct([*surface, score])))],
        "facts": [
            ("entities", arrow.list_(entity)),
            ("facts", arrow.list_(related([("entity", arrow.int64())]))),
        ],
    }
    start = [("id", arrow.string()), ("file", arrow.string()), ("record", arrow.int64())]
    text = [("text", arrow.string())] if with_text else []
    return arrow.schema([*start, *text, *columns[found]])
