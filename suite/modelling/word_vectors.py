"""Word vectors: read from GloVe's text format, or a vocabulary whose vectors are drawn."""

from __future__ import annotations

import gzip
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from suite.errors import SuiteError
from suite.files import content_digest

PADDING, UNKNOWN = 0, 1


@dataclass(frozen=True)
class WordVectors:
    """A vocabulary, with vectors or with none (then they are drawn at random and trained).

    Attributes:
        ids: row of each word; rows 0 and 1 are padding and unknown words.
        matrix: the vectors, shape (rows, width), zero for padding and unknown words; None where
            they are to be drawn.
        width: numbers a word.
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
    return WordVectors(ids, None, width, "random, trained", covered, trained=True)


def load_vectors(
    path: Path, train: Iterable[Sequence[str]], others: Iterable[Sequence[str]], trained: bool
) -> WordVectors:
    """Reads vectors in GloVe's text format: a word and its numbers a line, `.gz` and `.zip` too.

    Only words that occur in the dataset are kept; frozen vectors of test words tell nothing of
    test's labels.

    Raises:
        SuiteError: no such file, another format, or lines of unequal width.
    """
    counts = Counter(word for words in train for word in words)
    surfaces = set(counts).union(*others)
    wanted = surfaces | {word.lower() for word in surfaces}
    rows: dict[str, int] = {}
    numbers: list[np.ndarray] = []
    width: int | None = None
    with _open_vectors(path) as lines:
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
            if word in wanted and word not in rows:
                numbers.append(_parse(rest, path, number))
                rows[word] = len(rows) + 2
    if not rows or width is None:
        raise SuiteError(
            "holds no vector of any word of the dataset",
            where=path,
            remedy="Expected lines of a word and its numbers, as in glove.6B.300d.txt.",
        )
    ids = {w: row for w in surfaces if (row := rows.get(w) or rows.get(w.lower()))} | rows
    covered = sum(n for w, n in counts.items() if w in ids) / max(1, counts.total())
    matrix = torch.from_numpy(np.concatenate([np.zeros((2, width), np.float32), np.stack(numbers)]))
    source = f"{path.name} (SHA-256 {content_digest(path)})"
    return WordVectors(ids, matrix, width, source, covered, trained)


def _parse(numbers: str, path: Path, line: int) -> np.ndarray:
    try:
        return np.array(numbers.split(), dtype=np.float32)
    except ValueError as error:
        raise SuiteError(
            f"a field is not a number ({error})",
            where=f"{path}: line {line}",
            remedy="Expected a word and its numbers, separated by single spaces.",
        ) from error


@contextmanager
def _open_vectors(path: Path) -> Iterator[Iterable[str]]:
    def decoded(file: Iterable[bytes]) -> Iterator[str]:
        for line in file:
            yield line.decode("utf-8")

    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [n for n in archive.namelist() if n.endswith((".txt", ".vec"))]
                name = next((n for n in names if "300d" in n), names[0] if names else None)
                if name is None:
                    raise SuiteError("holds no .txt file", where=path)
                with archive.open(name) as file:
                    yield decoded(file)
        elif path.suffix == ".gz":
            with gzip.open(path) as packed:
                yield decoded(packed)
        else:
            with path.open("rb") as plain:
                yield decoded(plain)
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
