"""Word vectors: read from GloVe's text format, or a vocabulary whose vectors are drawn."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from suite.errors import SuiteError
from suite.modelling import kept_vectors
from suite.modelling.kept_vectors import KeptVectors
from suite.modelling.open_vocabulary import MOST_WORDS, OpenVocabulary
from suite.modelling.vector_lines import open_vectors, vectors_of

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
        others: words besides; their rows follow on the last one here.
    """

    ids: Mapping[str, int]
    matrix: Float[Tensor, "rows width"] | None
    width: int
    source: str
    coverage: float
    trained: bool
    others: OpenVocabulary | None = None

    @cached_property
    def rows(self) -> int:
        """Number of rows, padding and unknown words included."""
        return 2 + max(self.ids.values(), default=1) - 1

    def also_trained(self, wanted: bool) -> WordVectors:
        """The same, trained where that is wanted as well."""
        return replace(self, trained=self.trained or wanted)

    def look_up(self, words: Sequence[str]) -> list[int]:
        """The rows of the words: as written, else lowercased, else the unknown one."""
        ids = self.ids
        if self.others is None:
            return [ids.get(w) or ids.get(w.lower(), UNKNOWN) for w in words]
        return [self._row(w) or self._row(w.lower()) or UNKNOWN for w in words]

    def _row(self, word: str) -> int | None:
        found = self.ids.get(word)
        if found is None and self.others is not None:
            other = self.others.rows.get(word)
            return None if other is None else self.rows + other
        return found


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

    @cached_property
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
        with open_vectors(self.path):
            pass

    def keep(self, vocabularies: Sequence[Vocabulary], *, first: bool = False) -> None:
        """Reads and keeps what is not kept yet, all vocabularies in one pass over the file.

        Args:
            vocabularies: of the datasets.
            first: whether the file's first words are kept too (`open_vocabulary`).

        Raises:
            SuiteError: no such file, another format, or lines of unequal width.
        """
        digest = self.digest
        if digest is None or not (
            all(kept_vectors.is_kept(digest, v.digest) for v in vocabularies)
            and (not first or kept_vectors.open_vocabulary(digest).is_file())
        ):
            self._read(vocabularies, first=first)

    def open_vocabulary(self) -> Path:
        """The file of the first words' vectors (`suite.modelling.open_vocabulary`), in the cache.

        Raises:
            SuiteError: as `keep`, or they cannot be kept.
        """
        self.keep([], first=True)
        path = kept_vectors.open_vocabulary(self.digest or "")
        if not path.is_file():
            raise SuiteError(
                "the words of the vectors cannot be kept there",
                where=path,
                remedy="Make room, name another cache by $RE_CACHE_DIR, or give --keep-vectors "
                "dataset.",
            )
        return path

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

    def _read(
        self, vocabularies: Sequence[Vocabulary], *, first: bool = False
    ) -> tuple[str, list[KeptVectors]]:
        """Reads the file once; its digest, and for each vocabulary the vectors of its words."""
        before = kept_vectors.stamp(self.path)
        wanted = frozenset[str]().union(*(v.wanted for v in vocabularies))
        with open_vectors(self.path) as (lines, digest_of_all):
            numbers, firsts, width = vectors_of(
                wanted, lines, self.path, MOST_WORDS if first else 0
            )
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
        if first:
            kept_vectors.write_open_vocabulary(digest, firsts)
        if before is not None:
            kept_vectors.write_note(self.path, before, digest)
        return digest, found
