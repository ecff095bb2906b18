"""The public file formats, one module each, and how a file's format is told.

Every module has one function `read` of the form `Reader`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from suite.datasets.formats import (
    conll,
    docred,
    dygie,
    hf_tags,
    nayak,
    opennre,
    relation_list,
    sent_text,
    spert,
    spo_list,
    tacred,
    triple_list,
    w2ner,
)
from suite.datasets.formats.records import objects
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.errors import SuiteError
from suite.tasks.examples import Example, Sentence, TaskName

Reader = Callable[[TextFile, str, Reading], list[Example]]
"""Reads one split.

Args: the file; the split's name, which the ids begin with; what else is known, with the log of what
is odd. Returns the examples in the order of the file. Raises `SuiteError` with file, record and
field for whatever cannot be read.
"""


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        title: for messages.
        read: its reader.
        tasks: what it can hold; of several, the content decides.
        offsets: whether the file itself places its spans.
        fields: of a JSON format, those by which its records are known.
    """

    title: str
    read: Reader
    tasks: tuple[TaskName, ...]
    offsets: bool
    fields: frozenset[str] = frozenset()


def _json(
    title: str, read: Reader, tasks: tuple[TaskName, ...], offsets: bool, *fields: str
) -> Format:
    return Format(title, read, tasks, offsets, frozenset(fields))


JSON_FORMATS = (
    _json("CasRel's triple_list JSON", triple_list.read, ("triples",), False, "triple_list"),
    _json("FastRE's and DuIE's spo_list JSON", spo_list.read, ("triples",), False, "spo_list"),
    _json(
        "TPLinker's relation_list JSON", relation_list.read, ("triples",), False, "relation_list"
    ),
    _json("DocRED's JSON", docred.read, ("docre",), True, "vertexSet"),
    _json("tokens with ner_tags", hf_tags.read, ("ner",), True, "tokens", "ner_tags"),
    _json("SpERT's JSON", spert.read, ("triples", "ner"), True, "tokens"),
    _json("PURE's and DyGIE's JSON", dygie.read, ("triples", "ner"), True, "sentences", "ner"),
    _json("W2NER's JSON", w2ner.read, ("ner",), True, "sentence", "ner"),
    _json("TACRED's JSON", tacred.read, ("triples",), True, "token", "subj_start"),
    _json("OpenNRE's JSON", opennre.read, ("triples",), False, "h", "t", "relation"),
    _json("sentText JSON", sent_text.read, ("triples",), False, "sentText", "relationMentions"),
)
"""In the order in which they are tried: the first whose fields are all there."""
COLUMNS = Format("CoNLL's columns", conll.read, ("ner",), True)
LINES = Format("Nayak and Ng's .sent and .tup", nayak.read, ("triples",), False)
POINTERS = Format("Nayak and Ng's .sent and .pointer", nayak.read, ("triples",), True)


def detect(file: TextFile) -> Format:
    """The format of a file, by its ending and, for JSON, the fields of its first record.

    Raises:
        SuiteError: the first record is broken or has the fields of no known format.
    """
    if file.name.endswith(".sent"):
        return POINTERS if file.path.with_suffix(".pointer").is_file() else LINES
    named_so = file.name.endswith((".json", ".jsonl"))
    if not named_so and not file.text.lstrip().startswith(('{"', "[{")):
        return COLUMNS
    fields = _first_fields(file)
    for form in JSON_FORMATS:
        if form.fields <= fields:
            return form
    raise SuiteError(
        f"the first record has the fields {sorted(fields)}, which no known format has",
        where=file.path,
        remedy="A record must have one of: "
        f"{'; '.join(', '.join(sorted(form.fields)) for form in JSON_FORMATS)}.",
    )


def _first_fields(file: TextFile) -> set[str]:
    first = next(objects(file, whole=False), None)
    if not isinstance(first, dict):
        raise SuiteError(
            "holds no records", where=file.path, remedy="It should be a list of JSON objects."
        )
    return set(first)


def task_of(form: Format, examples: list[Example]) -> TaskName:
    """The task that a file is for, by its format and, where that holds several, its content."""
    if len(form.tasks) == 1:
        return form.tasks[0]
    related = any(isinstance(e, Sentence) and e.triples for e in examples)
    return "triples" if related else "ner"
