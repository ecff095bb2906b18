"""The public file formats, one module each, and how a file's format is told.

Every module has one function `read` of the form `Reader`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from suite.datasets.dataset import TypeMap
from suite.datasets.formats import conll, docred, nayak, spert, spo_list, triple_list
from suite.datasets.problems import ProblemLog
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.tasks.examples import Example, Sentence, TaskName

Reader = Callable[[TextFile, str, TypeMap, ProblemLog], list[Example]]
"""Reads one split.

Args: the file; the split's name, which the ids begin with; the entity types of relations, for
formats without types; the log of what is odd. Returns the examples in the order of the file.
Raises `SuiteError` with file, record and field for whatever cannot be read.
"""


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        title: for messages.
        read: its reader.
        tasks: what it can hold; of several, the content decides.
        offsets: whether the file itself places its spans.
    """

    title: str
    read: Reader
    tasks: tuple[TaskName, ...]
    offsets: bool


_BY_FIELD: dict[str, Format] = {
    "triple_list": Format("CasRel's triple_list JSON", triple_list.read, ("triples",), False),
    "spo_list": Format("FastRE's spo_list JSON", spo_list.read, ("triples",), False),
    "tokens": Format("SpERT's JSON", spert.read, ("triples", "ner"), True),
    "vertexSet": Format("DocRED's JSON", docred.read, ("docre",), True),
}
_COLUMNS = Format("CoNLL's columns", conll.read, ("ner",), True)
_LINES = Format("Nayak and Ng's .sent and .tup", nayak.read, ("triples",), False)
_POINTERS = Format("Nayak and Ng's .sent and .pointer", nayak.read, ("triples",), True)


def detect(file: TextFile) -> Format:
    """The format of a file, by its suffix and, for JSON, the fields of its first record.

    Raises:
        SuiteError: the first record is broken or has none of the known fields.
    """
    if file.path.suffix == ".sent":
        return _POINTERS if file.path.with_suffix(".pointer").is_file() else _LINES
    if file.path.suffix not in (".json", ".jsonl"):
        return _COLUMNS
    fields = _first_fields(file)
    for field, form in _BY_FIELD.items():
        if field in fields:
            return form
    raise SuiteError(
        f"the first record has the fields {sorted(fields)}, which no known format has",
        where=file.path,
        remedy=f"A record must have one of: {', '.join(_BY_FIELD)}.",
    )


def _first_fields(file: TextFile) -> set[str]:
    start = file.text.find("{")
    if start < 0:
        raise SuiteError(
            "holds no records", where=file.path, remedy="It should be a list of JSON objects."
        )
    try:
        record, _ = json.JSONDecoder().raw_decode(file.text, start)
    except json.JSONDecodeError as error:
        raise SuiteError(
            f"broken JSON: {error.msg} at line {error.lineno} column {error.colno}",
            where=file.path,
            remedy="The file may be cut off; download or write it again.",
        ) from error
    except (RecursionError, ValueError) as error:
        deep = isinstance(error, RecursionError)
        raise SuiteError(
            f"broken JSON: {'lists or objects too deep in one another' if deep else error}",
            where=file.path,
            remedy="No known format has such records; check what the file is.",
        ) from error
    return set(record)


def task_of(form: Format, examples: list[Example]) -> TaskName:
    """The task that a file is for, by its format and, where that holds several, its content."""
    if len(form.tasks) == 1:
        return form.tasks[0]
    related = any(isinstance(e, Sentence) and e.triples for e in examples)
    return "triples" if related else "ner"
