"""The forms in which predictions come, one module each, and how a file's form is told.

Every module has one function `read` of the form `Reader`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from suite.datasets.formats.records import objects
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.outside.answers import Answer, AnswersFile
from suite.outside.forms import casrel, columns, docred_result, json_lines, own

Reader = Callable[[TextFile], list[Answer]]
"""Reads a file of its form.

Returns what it says of each example, in its order. Raises `SuiteError` with file, record and field
for whatever cannot be read.
"""
_JSON = re.compile(r"\s*(\{\s*[\"}]|\[\s*[{\]])")


@dataclass(frozen=True)
class Form:
    """A form of predictions.

    Attributes:
        title: for messages.
        read: its reader.
        fields: of a JSON form, those by which its records are known; of each set one.
        silent: whether an example without predictions has no record.
    """

    title: str
    read: Reader
    fields: tuple[frozenset[str], ...] = ()
    silent: bool = False

    def has(self, fields: set[str]) -> bool:
        """Whether a record of these fields is of this form."""
        return all(fields & one_of for one_of in self.fields)


def _each(*names: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset({name}) for name in names)


JSON_FORMS = (
    Form("the suite's predictions.jsonl", own.read, _each("id", "text", "gold", "predicted")),
    Form("CasRel's results", casrel.read, _each("text", "triple_list_pred")),
    Form(
        "DocRED's result.json",
        docred_result.read,
        _each("title", "h_idx", "t_idx", "r"),
        silent=True,
    ),
    Form("JSON lines", json_lines.read, (json_lines.EXAMPLE, json_lines.ITEMS)),
)
"""In the order in which they are tried: the first whose fields are all there."""
COLUMNS = Form("CoNLL's columns", columns.read)
REMEDY = (
    "A record has an id, text or tokens, and triples, facts or entities; or it is one of the other "
    "forms of docs/outside.md."
)


def read_answers(path: Path) -> AnswersFile:
    """The predictions of a file, in whichever form they are.

    Raises:
        SuiteError: it cannot be read, is of no known form, or a record of it is not as its form
            has it.
    """
    file = TextFile.read(path)
    form = _form_of(file)
    digest = hashlib.sha256(file.text.encode("utf-8", "surrogatepass")).hexdigest()
    return AnswersFile(path, form.title, digest, tuple(form.read(file)), form.silent)


def _form_of(file: TextFile) -> Form:
    if not _JSON.match(file.text):
        return COLUMNS
    first = next(objects(file, whole=False), None)
    if not isinstance(first, dict):
        raise SuiteError("holds no records", where=file.path, remedy=REMEDY)
    for form in JSON_FORMS:
        if form.has(set(first)):
            return form
    shown = ", ".join(sorted(map(str, first)))[:200]
    raise SuiteError(
        f"the first record has the fields {shown or '(none)'}, which no known form of predictions "
        "has",
        where=file.path,
        remedy=REMEDY,
    )
