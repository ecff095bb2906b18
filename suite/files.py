"""Files: written whole or not at all, read as what they claim to be, named by their content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from suite.errors import SuiteError, first_mistake

Model = TypeVar("Model", bound=BaseModel)


class StrictModel(BaseModel):
    """What a file holds: never changed once made, and without fields that nobody knows.

    A diverged run's loss is NaN or infinite, which JSON has no number for: it is written as text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes beside the target, flushes to the disk, and renames.

    Raises:
        SuiteError: the folder cannot be written or the disk is full; the old file is untouched.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):  # what stands in the way of writing may forbid this as well
            beside.unlink()
        raise SuiteError(
            f"cannot be written: {error.strerror}",
            where=path,
            remedy="Free some space or name another --out; finished runs are kept.",
        ) from error


def read_model(
    path: Path, model: type[Model], what: str, remedy: str, form: int | None = None
) -> Model:
    """Reads a JSON file that holds a model.

    Args:
        path: of the file.
        model: of its content.
        what: the file is, as an error calls it.
        remedy: what helps where it is not.
        form: number of its format, which the file's field `format` holds; None: it has none.

    Raises:
        SuiteError: the file cannot be read, is of another format, or holds something else.
    """
    try:
        content = path.read_bytes()
        if form is not None:
            _refuse_another_format(content, form, what, path, remedy)
        return model.model_validate_json(content)
    except OSError as error:
        raise SuiteError(f"cannot be read: {error.strerror}", where=path, remedy=remedy) from error
    except ValidationError as error:
        cause = f"not a {what} of this version: {first_mistake(error)}"
        raise SuiteError(cause, where=path, remedy=remedy) from error


def _refuse_another_format(content: bytes, form: int, what: str, path: Path, remedy: str) -> None:
    try:
        found = json.loads(content)["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return  # what is not such a file at all is named by its first mistake
    if isinstance(found, int) and found != form:
        raise SuiteError(
            f"is a {what} of format {found}, and this version reads format {form}",
            where=path,
            remedy=remedy,
        )


def read_lines(path: Path, model: type[Model], what: str) -> Iterator[Model]:
    """The lines of a `.jsonl` file of a run, one after the other.

    Args:
        path: of the file.
        model: of a line.
        what: a line is, as an error calls it.

    Raises:
        SuiteError: a line is not what it should be.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield model.model_validate_json(line)
            except ValidationError as error:
                raise SuiteError(
                    f"line {number} is not {what} of this version: {first_mistake(error)}",
                    where=path,
                    remedy="Delete the run's folder and run the suite again.",
                ) from error


def content_digest(*paths: Path) -> str:
    """Twelve hexadecimal digits of SHA-256 over the files' contents, one after the other.

    Raises:
        OSError: one of them cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()[:12]
