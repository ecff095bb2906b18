"""Word vectors: read from GloVe's text format, or a vocabulary whose vectors are drawn."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from suite.errors import SuiteError
from suite.files import content_digest
from suite.modelling import kept_vectors
from suite.modelling.kept_vectors import KeptVectors

PADDING, UNKNOWN = 0, 1
RANDOM = "random, trained"
"""Source of vectors that are drawn."""


@dataclass(frozen=True)
class WordVectors:
    """A vocabulary, with vectors or with none (then they are drawn at random and trained).

    Attributes:
        ids: row of each word; rows 0 and 1 are padding and unknown words.
        matrix: the vectors, shape (rows, width), zero for padding and unknown words; None where
            they are to be drawn.
        width: numbers per word.
        source: where they are from, as reports print it.
        coverage: share of the training tokens that have a row.
        trained: whether training changes them.
    """

    ids: Mapping[str, int]
    matrix: Float[Tensor, "rows width"] | None
    width: int
    source: str
    coverage: float
    trained: bool

    @property
    def rows(self) -> int:
        """Number of rows, padding and unknown words included."""
        return 2 + max(self.ids.values(), default=1) - 1

    def look_up(self, words: Sequence[str]) -> list[int]:
        """The rows of the words: as written, else lowercased, else the unknown one."""
        ids = self.ids
        return [ids.get(w) or ids.get(w.lower(), UNKNOWN) for w in words]


def random_vectors(train: Iterable[Sequence[str]], width: int = 300) -> WordVectors:
    """A vocabulary of the training words that occur at least twice, to be drawn at random.

    Words that occur once share the unknown word's vector, which is trained by them.
    """
    counts = Counter(word.lower() for words in train for word in words)
    kept = sorted(word for word, count in counts.items() if count > 1)
    covered = sum(counts[word] for word in kept) / max(1, counts.total())
    ids = {word: i for i, word in enumerate(kept, start=2)}
    return WordVectors(ids, None, width, RANDOM, covered, trained=True)


@dataclass(frozen=True)
class Vocabulary:
    """The words of a dataset that systems see.

    Attributes:
        train: how often each word stands in train.
        words: those of all splits, as written.
    """

    train: Mapping[str, int]
    words: frozenset[str]

    @property
    def wanted(self) -> frozenset[str]:
        """The words of a file that are kept: as written and lowercased."""
        return self.words | {word.lower() for word in self.words}

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits over the wanted words."""
        text = json.dumps(sorted(self.wanted))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def vocabulary_of(train: Iterable[Sequence[str]], others: Iterable[Sequence[str]]) -> Vocabulary:
    """The vocabulary of the training sentences and those of the other splits."""
    counts = Counter(word for words in train for word in words)
    return Vocabulary(counts, frozenset(counts).union(*others))


class VectorsFile:
    """A file of vectors in GloVe's text format: one word and its numbers per line.

    What was read of it for a vocabulary is kept in the user's cache, under the digests of both, so
    that the file is read once. Its own digest is noted with its size and time of change, and holds
    as long as these do.

    Args:
        path: of the file; plain, `.gz` or `.zip`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def as_published(self) -> bool:
        """Whether they are the papers' GloVe, which the name of its files alone tells."""
        return "glove" in self.path.name.lower()

    @property
    def digest(self) -> str | None:
        """Twelve digits of SHA-256 of the file; None where it was never read as it is now."""
        noted = kept_vectors.read_note(self.path)
        return noted.digest if noted else None

    @property
    def source(self) -> str | None:
        """The file as reports print it; None where it was never read as it is now."""
        return None if self.digest is None else self._source(self.digest)

    def _source(self, digest: str) -> str:
        return f"{self.path.name} (SHA-256 {digest})"

    def check(self) -> None:
        """Opens the file and reads nothing of it.

        Raises:
            SuiteError: there is no such file, or it cannot be opened.
        """
        with _open_vectors(self.path):
            pass

    def keep(self, vocabularies: Sequence[Vocabulary]) -> None:
        """Reads and keeps what is not kept yet, all vocabularies in one pass over the file.

        Raises:
            SuiteError: no such file, another format, or lines of unequal width.
        """
        digest = self.digest
        if digest is None or not all(kept_vectors.is_kept(digest, v.digest) for v in vocabularies):
            self._read(vocabularies)

    def load(self, vocabulary: Vocabulary, trained: bool) -> WordVectors:
        """The vectors of a vocabulary; frozen vectors of test words tell nothing of its labels.

        Args:
            vocabulary: of the dataset; other words of the file are left out.
            trained: whether training changes the vectors.

        Raises:
            SuiteError: no such file, another format, lines of unequal width, or no vector of any
                of the words.
        """
        digest = self.digest
        found = kept_vectors.read(digest, vocabulary.digest) if digest else None
        if digest is None or found is None:
            digest, (found,) = self._read([vocabulary])
        rows = {word: row for row, word in enumerate(found.words, start=2)}
        words = vocabulary.words
        ids = {w: row for w in words if (row := rows.get(w) or rows.get(w.lower()))} | rows
        covered = sum(n for w, n in vocabulary.train.items() if w in ids)
        coverage = covered / max(1, sum(vocabulary.train.values()))
        matrix, width = torch.from_numpy(found.matrix), found.matrix.shape[1]
        return WordVectors(ids, matrix, width, self._source(digest), coverage, trained)

    def _read(self, vocabularies: Sequence[Vocabulary]) -> tuple[str, list[KeptVectors]]:
        """Reads the file once; its digest, and for each vocabulary the vectors of its words."""
        before = kept_vectors.stamp(self.path)
        wanted = frozenset[str]().union(*(v.wanted for v in vocabularies))
        with _open_vectors(self.path) as (lines, digest_of_all):
            numbers, width = _vectors_of(wanted, lines, self.path)
            digest = digest_of_all()
        found = []
        for vocabulary in vocabularies:
            words = [word for word in numbers if word in vocabulary.wanted]
            if not words:
                raise SuiteError(
                    "holds no vector of any word of the dataset",
                    where=self.path,
                    remedy="Expected lines of a word and its numbers, as in glove.6B.300d.txt.",
                )
            stacked = [np.zeros((2, width), np.float32), np.stack([numbers[w] for w in words])]
            found.append(KeptVectors(tuple(words), np.concatenate(stacked)))
        for vocabulary, one in zip(vocabularies, found, strict=True):
            kept_vectors.write(digest, vocabulary.digest, one)
        if before is not None:
            kept_vectors.write_note(self.path, before, digest)
        return digest, found


def _vectors_of(
    wanted: AbstractSet[str], lines: Iterable[str], path: Path
) -> tuple[dict[str, Float[np.ndarray, " width"]], int]:
    """The vectors of the wanted words in the order of the file, and their width.

    Of a word that stands there twice, the first one counts.
    """
    numbers: dict[str, np.ndarray] = {}
    width = 0
    for number, line in enumerate(lines, start=1):
        fields = line.rstrip().count(" ")
        if number == 1 and fields == 1:  # word2vec's heading: rows and width
            continue
        width = width or fields
        if fields != width:
            raise SuiteError(
                f"{fields} numbers where the lines before have {width}",
                where=f"{path}: line {number}",
                remedy="The file is damaged or mixes two vector files; get it anew.",
            )
        word, _, rest = line.partition(" ")
        if word in wanted and word not in numbers:
            numbers[word] = _parse(rest, path, number)
    return numbers, width


def _parse(numbers: str, path: Path, line: int) -> np.ndarray:
    try:
        return np.array(numbers.split(), dtype=np.float32)
    except ValueError as error:
        raise SuiteError(
            f"a field is not a number ({error})",
            where=f"{path}: line {line}",
            remedy="Expected a word and its numbers, separated by single spaces.",
        ) from error


class _Hashed(io.RawIOBase):
    """A file whose bytes are hashed as they are read, so that one reading serves both."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        """That it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads and hashes."""
        count = self._file.readinto(buffer)
        self._digest.update(memoryview(buffer)[:count])
        return count

    def digest(self) -> str:
        """Twelve digits over the whole file, as `content_digest` gives them; reads what is left."""
        while self.read(2**20):
            pass
        return self._digest.hexdigest()[:12]


@contextmanager
def _open_vectors(path: Path) -> Iterator[tuple[Iterable[str], Callable[[], str]]]:
    """The lines, and what gives the file's digest when they have been read."""

    def decoded(file: Iterable[bytes]) -> Iterator[str]:
        for line in file:
            yield line.decode("utf-8")

    try:
        if path.suffix == ".zip":  # read in no order
            with zipfile.ZipFile(path) as archive:
                names = [n for n in archive.namelist() if n.endswith((".txt", ".vec"))]
                name = next((n for n in names if "300d" in n), names[0] if names else None)
                if name is None:
                    raise SuiteError("holds no .txt file", where=path)
                with archive.open(name) as member:
                    yield decoded(member), lambda: content_digest(path)
            return
        with io.FileIO(path) as plain:
            hashed = _Hashed(plain)
            file = io.BufferedReader(hashed, 2**20)
            if path.suffix == ".gz":
                with gzip.open(file) as packed:
                    yield decoded(packed), hashed.digest
            else:
                yield decoded(file), hashed.digest
    except UnicodeDecodeError as error:
        raise SuiteError(
            f"is not UTF-8 text ({error.reason})", where=path, remedy="Convert it to UTF-8."
        ) from error
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise SuiteError(
            f"word vectors cannot be read: {error}",
            where=path,
            remedy="Name a file in GloVe's format with --vectors (plain, .gz or .zip).",
        ) from error
