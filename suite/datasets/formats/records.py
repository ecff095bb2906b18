"""Checked reading of files that hold one JSON object a record."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from suite.datasets.textfile import TextFile
from suite.errors import SuiteError

T = TypeVar("T", bound=BaseModel)


class Strict(BaseModel):
    """A record whose fields are all known and of the very type that the format has."""

    model_config = ConfigDict(extra="forbid", strict=True)


def read_json_records(file: TextFile, model: type[T]) -> list[T]:
    """The records of a JSON list, or of JSON lines, checked against a model.

    Raises:
        SuiteError: broken JSON (with line and column), a record of another shape (with its number,
            counted from 1, and the field), or no record at all.
    """
    if file.text.lstrip().startswith("{"):
        records = []
        for number, line in enumerate(file.lines(), 1):
            if line.strip():
                try:
                    records.append(model.model_validate_json(line))
                except ValidationError as error:
                    raise explained(file, error, number) from error
        return records
    try:
        records = TypeAdapter(list[model]).validate_json(file.text)  # type: ignore[valid-type]
    except ValidationError as error:
        raise explained(file, error) from error
    if not records:
        raise SuiteError("holds no records", where=file.path, remedy="Check the download.")
    return records


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
