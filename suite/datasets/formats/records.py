"""Checked reading of files that hold one JSON object a record."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError

WRAPPER = "data"
"""The one field of a file that holds its list of records in an object."""
T = TypeVar("T", bound=BaseModel)


class RecordModel(BaseModel):
    """A record whose known fields are of the very type that the format has; others are kept out."""

    model_config = ConfigDict(extra="allow", strict=True)


class Strict(RecordModel):
    """A file whose fields are all known."""

    model_config = ConfigDict(extra="forbid", strict=True)


def read_json_records(file: TextFile, model: type[T], problems: ProblemLog) -> list[T]:
    """The records of a file, checked against a model.

    They are a JSON list, one in the field `data` of an object, JSON lines, or JSON objects one
    after the other over any number of lines.

    Raises:
        SuiteError: broken JSON (with line and column), a record of another shape (with its number,
            counted from 1, and the field), or no record at all.
    """
    if file.text.lstrip().startswith("{"):
        records = _read_lines(file, model)
        if records is None:
            records = [_checked(file, model, raw, n) for n, raw in enumerate(objects(file), 1)]
    else:
        try:
            records = TypeAdapter(list[model]).validate_json(file.text)  # type: ignore[valid-type]
        except ValidationError as error:
            raise explained(file, error) from error
    if not records:
        raise SuiteError("holds no records", where=file.path, remedy="Check the download.")
    _note_unread(file, model, records, problems)
    return records


def _read_lines(file: TextFile, model: type[T]) -> list[T] | None:
    """The records of a file with an object on each line; None where it is of another form."""
    lines = [(n, line) for n, line in enumerate(file.lines(), 1) if line.strip()]
    if not lines or not _is_record(lines[0][1]):
        return None
    records = []
    for number, line in lines:
        try:
            records.append(model.model_validate_json(line))
        except ValidationError as error:
            raise explained(file, error, number) from error
    return records


def _is_record(line: str) -> bool:
    """Whether a line is a whole object, and not one that wraps all records."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and not isinstance(found.get(WRAPPER), list)


def objects(file: TextFile, *, whole: bool = True) -> Iterator[Any]:
    """The JSON objects of a file: one after the other, in a list, or in a field `data`.

    Args:
        file: of them.
        whole: whether a list is read as a whole; else its objects are read one by one, and what
            follows the last one that is asked for is not looked at.

    Raises:
        SuiteError: it is broken JSON, or nested too deeply.
    """
    decoder, place = json.JSONDecoder(), 0
    text = file.text
    if not whole:
        place = _inside_list(text)
    while (place := _next(text, place)) < len(text) and (whole or text[place] != "]"):
        try:
            found, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise broken(file, error) from error
        except (RecursionError, ValueError) as error:
            raise SuiteError(
                "holds JSON that is nested too deeply or has a number of thousands of digits",
                where=file.path,
                remedy="No known format does; check what the file is.",
            ) from error
        inner = found.get(WRAPPER) if isinstance(found, dict) else found
        yield from inner if isinstance(inner, list) else [found]


def _inside_list(text: str) -> int:
    """Where the first object of a list begins that a file is, or holds in `data`."""
    found = re.match(rf'\s*(?:\{{\s*"{WRAPPER}"\s*:\s*)?\[', text)
    return found.end() if found else 0


def _next(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n,":
        place += 1
    return place


def broken(file: TextFile, error: json.JSONDecodeError) -> SuiteError:
    """The error for JSON that ends early or is none."""
    return SuiteError(
        f"broken JSON: {error.msg} at line {error.lineno} column {error.colno}",
        where=file.path,
        remedy="The file may be cut off; download or write it again.",
    )


def _checked(file: TextFile, model: type[T], raw: Any, number: int) -> T:
    try:
        # As JSON, under whose rules a list may be a tuple.
        return model.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        told = explained(file, error)
        raise SuiteError(
            told.cause, where=f"{file.path}, record {number}", remedy=told.remedy
        ) from (error)


def _note_unread(
    file: TextFile, model: type[BaseModel], records: list[T], problems: ProblemLog
) -> None:
    """Counts fields that no reader knows, and refuses those that look like a known one's misprint.

    Raises:
        SuiteError: a field is a letter or two away from one that may be missing.
    """
    optional = [name for name, field in model.model_fields.items() if not field.is_required()]
    for record in records:
        for name in record.model_extra or ():
            near = difflib.get_close_matches(name, optional, 1, 0.85)
            if near and name not in problems.unread:
                raise SuiteError(
                    f"the field {name!r} is not known, and looks like {near[0]!r}",
                    where=file.path,
                    remedy=f"Rename it to {near[0]!r}, or delete it.",
                )
            problems.unread[name] += 1


def explained(file: TextFile, error: ValidationError, line: int | None = None) -> SuiteError:
    """The error that names the first thing that a check found wrong.

    Args:
        file: the checked file.
        error: what the check raised.
        line: the line that was checked alone; None where the whole file was.
    """
    first = error.errors(include_url=False)[0]
    steps = list(first["loc"])
    where = str(file.path) if line is None else f"{file.path}, line {line}"
    if first["type"] == "json_invalid":
        return SuiteError(
            f"broken JSON: {first['ctx']['error']}",
            where=where,
            remedy="The file may be cut off; download or write it again.",
        )
    if line is None and steps and isinstance(steps[0], int):
        where = f"{file.path}, record {steps.pop(0) + 1}"  # type: ignore[operator]
    field = ".".join(str(step) for step in steps)
    return SuiteError(
        f"{field + ': ' if field else ''}{_message(first['type'], first['msg'])}",
        where=where,
        remedy="Correct it, or name a file of a known format.",
    )


def _message(kind: str, message: str) -> str:
    known = {"extra_forbidden": "the format has no such field", "missing": "is missing"}
    return known.get(kind, message)
