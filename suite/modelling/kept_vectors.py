"""Word vectors in the user's cache, filtered to a vocabulary, and the digests of their files.

What is damaged there counts as not kept, and what cannot be written is said and costs time alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from suite.errors import SuiteError
from suite.files import remove_leftovers, write_atomically
from suite.modelling.open_vocabulary import MOST_WORDS, packed


class Stamp(BaseModel):
    """What tells whether a file is as it was, without reading it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    changed_ns: int
    inode: int


class Note(BaseModel):
    """The digest that a file had when its stamp was this one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stamp: Stamp
    digest: str


@dataclass(frozen=True)
class KeptVectors:
    """The vectors of a vocabulary.

    Attributes:
        words: in the order of the file; the first one has row 2.
        matrix: shape (rows, width), float32; rows 0 and 1, of padding and unknown words, are 0.
    """

    words: tuple[str, ...]
    matrix: Float[np.ndarray, "rows width"]

    @property
    def checksum(self) -> str:
        """SHA-256 of words and numbers."""
        digest = hashlib.sha256(json.dumps(self.words).encode())
        digest.update(self.matrix.tobytes())
        return digest.hexdigest()


def _folder() -> Path:
    from suite.datasets.catalogue.fetch import cache_folder  # noqa: PLC0415 - random ones need none

    return cache_folder().with_name("vectors")


def _file(digest: str, vocabulary: str) -> Path:
    return _folder() / f"{digest}-{vocabulary}.safetensors"


def is_kept(digest: str, vocabulary: str) -> bool:
    """Whether the vectors of a vocabulary are here; whether they are sound, `read` finds out."""
    return _file(digest, vocabulary).is_file()


def read(digest: str, vocabulary: str) -> KeptVectors | None:
    """What is kept of a file for a vocabulary, both given by their digests; None where nothing."""
    file = _file(digest, vocabulary)
    try:
        with safe_open(str(file), framework="np") as opened:
            facts = opened.metadata() or {}
            found = KeptVectors(tuple(json.loads(facts["words"])), opened.get_tensor("matrix"))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if facts.get("checksum") == found.checksum else None


def write(digest: str, vocabulary: str, vectors: KeptVectors) -> None:
    """Keeps the vectors of a vocabulary."""
    facts = {"words": json.dumps(vectors.words), "checksum": vectors.checksum}
    _write(_file(digest, vocabulary), save({"matrix": vectors.matrix}, facts))


def open_vocabulary(digest: str) -> Path:
    """Where the first words of a file are kept, by the file's digest."""
    return _folder() / f"{digest}-first-{MOST_WORDS}.safetensors"


def write_open_vocabulary(digest: str, vectors: Mapping[str, Float[np.ndarray, " width"]]) -> None:
    """Keeps the first words of a file."""
    _write(open_vocabulary(digest), packed(vectors))


def stamp(path: Path) -> Stamp | None:
    """What the file is like now; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Stamp(size=found.st_size, changed_ns=found.st_mtime_ns, inode=found.st_ino)


def read_note(path: Path) -> Note | None:
    """The file's digest as it was noted; None where the file has changed since, or never was."""
    try:
        note = Note.model_validate_json(_note_file(path).read_bytes())
    except (OSError, RuntimeError, ValidationError):  # RuntimeError: links in a circle
        return None
    return note if note.stamp == stamp(path) else None


def write_note(path: Path, as_it_was: Stamp, digest: str) -> None:
    """Notes the digest that was read while the file was as it was."""
    note = Note(stamp=as_it_was, digest=digest)
    _write(_note_file(path), note.model_dump_json().encode())


def _note_file(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
    return _folder() / f"{name}.json"


def _write(file: Path, content: bytes) -> None:
    remove_leftovers(file.parent)
    try:
        write_atomically(file, content)
    except SuiteError as error:
        warnings.warn(f"word vectors are not kept: {error.where} {error.cause}", stacklevel=2)
