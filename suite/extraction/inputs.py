"""Texts from files, folders and standard input, one after the other, each with its id and place."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from suite.datasets.formats.docred import read_document
from suite.errors import SuiteError
from suite.extraction.lines import (
    LARGEST,
    BadRecordError,
    decoded,
    lines,
    lines_as_they_come,
    list_items,
    parsed,
)
from suite.extraction.parquet import check_columns, read_columns
from suite.files import open_regular, readable
from suite.tasks.examples import Document

STANDARD_INPUT = "-"
STANDARD_NAME = "stdin"
"""How ids and rows call it."""
GZIP = ".gz"
PARQUET = ".parquet"
TEXT_ENDINGS = (".txt", ".text", ".md", "")
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
ENDINGS = ".txt, .text, .md, .jsonl, .ndjson or .json (each of them also as .gz), or .parquet"
FIELD, ID = "text", "id"
CHUNK_TEXTS, CHUNK_CHARACTERS = 4096, 4_000_000
"""What is read, held and answered at once: enough that batches of one length are full."""
_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Text:
    """One text that was given.

    Attributes:
        id: the record's own `id`, a document's title, or `FILE:RECORD`. It is unique where the ids
            that are given are; `file` and `record` together always are.
        file: as it was named.
        record: line, row or place in a list, from 1.
        text: its text; of a document that came in words, these with a space between.
        document: with its entities, where it came with them.
        failure: why there is no text; None: there is one.
    """

    id: str
    file: str
    record: int
    text: str = ""
    document: Document | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Form:
    """How records are read.

    Attributes:
        field: that holds the text, in JSON lines and parquet.
        whole_files: whether a text file is one text; else each of its lines is.
        documents: whether records are documents in DocRED's form.
        json_input: whether standard input holds JSON lines.
    """

    field: str = FIELD
    whole_files: bool = False
    documents: bool = False
    json_input: bool = False


class InputFile(NamedTuple):
    """A file that was named or found, as it was before anything was read.

    Attributes:
        name: as rows call it.
        ending: of its name, in lower case, without that of a compressed file.
        size: in bytes.
        changed: nanoseconds of its last change.
    """

    path: Path
    name: str
    ending: str
    size: int
    changed: int


class Inputs:
    """All that is to be read, checked before anything is.

    Args:
        given: files, folders, or `-` for standard input; none: standard input.
        form: how they are read.

    Raises:
        SuiteError: a file is missing, cannot be read, is of no known kind, lacks the column of the
            texts or is named twice; or a folder holds none.
    """

    def __init__(self, given: Sequence[str], form: Form) -> None:
        self._form = form
        self._given = tuple(given) or (STANDARD_INPUT,)
        self.streams = STANDARD_INPUT in self._given
        if self.streams and len(self._given) > 1:
            raise SuiteError(
                "standard input (-) is named beside other inputs",
                remedy="Read it by itself, or pipe all of them: cat FILES | ... -",
            )
        if self.streams and form.whole_files:
            raise SuiteError(
                "--whole-files asks for files, and standard input is read line by line",
                remedy="Name the file, or leave out --whole-files.",
            )
        self.files = [] if self.streams else list(_found(self._given, form))
        self.chunk_texts = CHUNK_TEXTS
        self.bytes_in_all = sum(file.size for file in self.files)
        self._bytes_done = 0
        self._position: Callable[[], int] = int

    @property
    def bytes_read(self) -> int:
        """Of the files as they lie on the disk."""
        return self._bytes_done + self._position()

    def fingerprint(self) -> str:
        """Names the files as they are and how they are read; it is another one once one changes."""
        described = [(str(f.path.absolute()), f.size, f.changed) for f in self.files]
        content = json.dumps([described, str(self._form)])
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def chunks(self, leave_out: int = 0) -> Iterator[list[Text]]:
        """The texts in order, some thousand at a time; of standard input, those that are there.

        Args:
            leave_out: how many of the first were done before.
        """
        if self.streams:
            yield from self._from_standard_input()
            return
        chunk: list[Text] = []
        characters = 0
        for number, text in enumerate(self._from_files()):
            if number < leave_out:
                continue
            chunk.append(text)
            characters += len(text.text)
            if len(chunk) >= self.chunk_texts or characters >= CHUNK_CHARACTERS:
                yield chunk
                chunk, characters = [], 0
        if chunk:
            yield chunk

    def _from_standard_input(self) -> Iterator[list[Text]]:
        number = 0
        for found in lines_as_they_come(sys.stdin.fileno()):
            texts = []
            for number, line in enumerate(found, number + 1):  # noqa: B020 - it goes on
                text = self._line(STANDARD_NAME, number, line, is_json=self._form.json_input)
                texts += [] if text is None else [text]
            yield texts

    def _from_files(self) -> Iterator[Text]:
        for file in self.files:
            record = 0
            try:
                for text in self._from_file(file):
                    record = text.record
                    yield text
            except BadRecordError as error:
                cause = f"{error}; what follows it in the file is not read"
                yield _failed(file.name, record + 1, cause)
            except (OSError, EOFError, zlib.error) as error:
                cause = f"from here on the file cannot be read: {error}"
                yield _failed(file.name, record + 1, cause)
            self._bytes_done, self._position = self._bytes_done + file.size, int

    def _from_file(self, file: InputFile) -> Iterator[Text]:
        with ExitStack() as opened:
            raw = opened.enter_context(open_regular(file.path))
            self._position = raw.tell
            if file.ending == PARQUET:
                for number, row in enumerate(read_columns(raw, (self._form.field, ID)), 1):
                    yield self._record(file.name, number, row)
                return
            stream: Any = raw
            if file.path.name.lower().endswith(GZIP):
                unpacked = opened.enter_context(gzip.GzipFile(fileobj=raw))
                stream = opened.enter_context(io.BufferedReader(unpacked))
            yield from self._from_stream(file, stream)

    def _from_stream(self, file: InputFile, stream: BinaryIO) -> Iterator[Text]:
        is_json = file.ending in JSON_ENDINGS
        if is_json and _begins_a_list(stream):
            for number, item in enumerate(list_items(stream), 1):
                yield self._record(file.name, number, item)
        elif self._form.whole_files and not is_json:
            content = stream.read(LARGEST + 1).removeprefix(_UTF8_MARK)
            yield _text(file.name, 1, None if len(content) > LARGEST else content, file.name)
        else:
            for number, line in enumerate(lines(stream), 1):
                plain = line.removeprefix(_UTF8_MARK) if line and number == 1 else line
                text = self._line(file.name, number, plain, is_json=is_json)
                if text is not None:
                    yield text

    def _line(self, file: str, number: int, line: bytes | None, *, is_json: bool) -> Text | None:
        """The text of a line; None for an empty line of JSON, which is no record."""
        if not is_json:
            return _text(file, number, line)
        if line is not None and not line.strip():
            return None
        try:
            return self._record(file, number, parsed(line))
        except BadRecordError as error:
            return _failed(file, number, str(error))

    def _record(self, file: str, number: int, record: Any) -> Text:
        """The text of an object or a row."""
        identity = f"{file}:{number}"
        if not isinstance(record, Mapping):
            return _failed(file, number, "is no JSON object")
        own = record.get("title") if self._form.documents and ID not in record else record.get(ID)
        if own is not None:
            if isinstance(own, bool) or not isinstance(own, str | int | float):
                return _failed(file, number, f"its {ID} is neither text nor a number")
            identity = str(own)
        if self._form.documents:
            return _document(identity, file, number, record)
        text = record.get(self._form.field)
        if isinstance(text, str):
            return Text(identity, file, number, text)
        lacks = "is no text" if self._form.field in record else "is missing"
        return _failed(file, number, f"the field {self._form.field!r} {lacks}", identity)


def _text(file: str, number: int, content: bytes | None, identity: str | None = None) -> Text:
    identity = identity or f"{file}:{number}"
    try:
        return Text(identity, file, number, decoded(content))
    except BadRecordError as error:
        return _failed(file, number, str(error), identity)


def _failed(file: str, number: int, cause: str, identity: str | None = None) -> Text:
    return Text(identity or f"{file}:{number}", file, number, failure=cause)


def _document(identity: str, file: str, number: int, record: Mapping[str, Any]) -> Text:
    try:
        document = read_document(record, identity)
    except SuiteError as error:
        return _failed(file, number, error.cause, identity)
    return Text(identity, file, number, " ".join(document.words), document)


def _begins_a_list(stream: Any) -> bool:
    start: bytes = stream.peek(2**12)
    return start.removeprefix(_UTF8_MARK).lstrip()[:1] == b"["


def _found(given: Iterable[str], form: Form) -> Iterator[InputFile]:
    seen: dict[Path, str] = {}
    for name in given:
        path = Path(name)
        paths = list(_in_folder(path)) if path.is_dir() else [path]
        for one in paths:
            file = _checked(one, form)
            known = seen.get(one.resolve())
            if known is not None:
                raise SuiteError(
                    f"is read already, as {known}", where=file.name, remedy="Name each file once."
                )
            seen[one.resolve()] = file.name
            yield file


def _in_folder(folder: Path) -> Iterator[Path]:
    """The files of known endings in a folder and those below it, sorted; hidden ones left out."""
    found = []
    for place, below, names in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    known = sorted(path for path in found if _ending(path) and _is_known(_ending(path)))
    if not known:
        raise SuiteError(
            "holds no file that can be read", where=folder, remedy=f"Such files end in {ENDINGS}."
        )
    return iter(known)


def _ending(path: Path) -> str:
    return Path(path.name.lower().removesuffix(GZIP)).suffix


def _is_known(ending: str) -> bool:
    return ending in (*TEXT_ENDINGS, *JSON_ENDINGS, PARQUET)


def _checked(path: Path, form: Form) -> InputFile:
    """A file that can be read, as far as can be told before it is.

    Raises:
        SuiteError: it cannot.
    """
    ending = _ending(path)
    remedy = "Check path and permissions; a pipe is read as standard input (-)."
    with readable(path, remedy), open_regular(path) as file:
        found = os.fstat(file.fileno())
        start = file.read(4)
        if not _is_known(ending) or path.name.lower().endswith(PARQUET + GZIP):
            raise SuiteError(
                "is of no kind that is known by its ending",
                where=path,
                remedy=f"Rename it to end in {ENDINGS}, or pipe it to standard input (-).",
            )
        if ending == PARQUET:
            check_columns(file, path, form.field)
    if form.documents and ending in (PARQUET, *TEXT_ENDINGS):
        raise _no_documents(path)
    if start.startswith(_OTHER_MARKS) and ending != PARQUET:
        raise SuiteError(
            "is UTF-16 or UTF-32, and UTF-8 is read",
            where=path,
            remedy=f"Convert it: iconv -f UTF-16 -t UTF-8 {path.name}",
        )
    return InputFile(path, str(path), ending, found.st_size, found.st_mtime_ns)


def _no_documents(path: Path) -> SuiteError:
    return SuiteError(
        "holds text, and this model needs the entities of documents",
        where=path,
        remedy="Name a model that finds them with --entities, or give documents in DocRED's form "
        "(.json, .jsonl).",
    )
