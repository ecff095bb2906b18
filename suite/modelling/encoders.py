"""From words to vectors: word vectors, a BiLSTM over them, a pretrained transformer.

Letters in shapes: B sentences, N words, S subwords, E width of the vectors.
"""

from __future__ import annotations

import gzip
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from suite.errors import SuiteError
from suite.files import content_digest
from suite.modelling.encoded import Batch
from suite.modelling.pretrained import PretrainedModel
from suite.modelling.ragged import Ragged

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


class WordEmbedding(nn.Module):
    """Looks word vectors up; random ones are trained, with words dropped to the unknown one.

    Args:
        vectors: the vocabulary and its vectors.
        unknown_rate: share of words that training replaces by the unknown word where vectors are
            trained, so that its vector means something at test.
    """

    def __init__(self, vectors: WordVectors, unknown_rate: float = 0.05) -> None:
        super().__init__()
        self.vectors = vectors
        self.width = vectors.width
        self.unknown_rate = unknown_rate if vectors.trained else 0.0
        drawn = vectors.matrix
        if drawn is None:
            drawn = torch.randn(vectors.rows, vectors.width) * vectors.width**-0.5
            drawn[PADDING] = 0
        if vectors.trained:
            self.table: Tensor = nn.Parameter(drawn.clone())
        else:
            # Not persistent: frozen vectors are a resource, not something a checkpoint learned.
            self.register_buffer("table", drawn, persistent=False)

    def encode(self, sentences: Iterable[Sequence[str]]) -> dict[str, Ragged]:
        """The column `words`: rows of the table."""
        return {"words": Ragged.from_rows([self.vectors.look_up(words) for words in sentences])}

    def forward(self, batch: Batch) -> Float[Tensor, "B N E"]:
        """The words' vectors, zero at padding."""
        ids: Int[Tensor, "B N"] = batch["words"].padded(PADDING)
        if self.training and self.unknown_rate:
            dropped = (torch.rand(ids.shape, device=ids.device) < self.unknown_rate) & (ids > 0)
            ids = ids.masked_fill(dropped, UNKNOWN)
        return nn.functional.embedding(ids, self.table)


class BiLSTM(nn.Module):
    """A bidirectional LSTM over word vectors.

    Each direction is an LSTM of its own over padded sentences, those of the second one turned round
    within their length. Packed sentences, as torch's bidirectional LSTM wants them, take twice as
    long on the CPU: their kernel makes a matrix product for each word and direction.

    Args:
        vectors: the vocabulary and its vectors.
        width: of the output, both directions together.
        layers: stacked LSTM layers.
    """

    def __init__(self, vectors: WordVectors, width: int, layers: int = 1) -> None:
        super().__init__()
        self.words = WordEmbedding(vectors)
        self.width = width
        inputs = [vectors.width, *[width] * (layers - 1)]
        self.left_to_right = nn.ModuleList(nn.LSTM(n, width // 2, batch_first=True) for n in inputs)
        self.right_to_left = nn.ModuleList(nn.LSTM(n, width // 2, batch_first=True) for n in inputs)

    def encode(self, sentences: Iterable[Sequence[str]]) -> dict[str, Ragged]:
        """The column `words` of the word vectors."""
        return self.words.encode(sentences)

    def forward(self, batch: Batch) -> Float[Tensor, "B N E"]:
        """Hidden states of both directions, zero at padding."""
        x = self.words(batch)
        places = torch.arange(x.shape[1], device=x.device)
        lengths = batch["words"].lengths[:, None]
        # Its own inverse; padding, which is read after the sentence, stays where it is.
        turned = torch.where(places < lengths, lengths - 1 - places, places)[..., None]
        for ahead, back in zip(self.left_to_right, self.right_to_left, strict=True):
            y = back(x.gather(1, turned.expand_as(x)))[0]
            x = torch.cat([ahead(x)[0], y.gather(1, turned.expand_as(y))], dim=2)
        return x * batch["words"].mask()[..., None]


@dataclass
class SubwordTable:
    """Subwords of words, each word tokenised once: a word's subwords do not depend on others.

    Attributes:
        tokenizer: a fast tokenizer of `transformers`.
        limit: subwords of a sentence that the model can read, special ones included.
    """

    tokenizer: object
    limit: int
    known: dict[str, list[int]] = field(default_factory=dict)

    def rows(self, sentences: Sequence[Sequence[str]]) -> tuple[list[list[int]], list[list[int]]]:
        """For each sentence its subword ids and the word of each, -1 for special ones.

        A sentence of more subwords than the model reads keeps the first ones of each word.
        """
        new = sorted({w for words in sentences for w in words} - self.known.keys())
        if new:
            split = [[w] for w in new]
            ids = self.tokenizer(split, is_split_into_words=True, add_special_tokens=False)  # type: ignore[operator]
            unknown = [self.tokenizer.unk_token_id]  # type: ignore[attr-defined]
            self.known.update(zip(new, (i or unknown for i in ids["input_ids"]), strict=True))
        first = self.tokenizer.cls_token_id  # type: ignore[attr-defined]
        last = self.tokenizer.sep_token_id  # type: ignore[attr-defined]
        all_ids, all_words = [], []
        for words in sentences:
            pieces = [self.known[w] for w in words]
            if sum(map(len, pieces)) > self.limit - 2:
                most = max(1, (self.limit - 2) // len(words))
                pieces = [p[:most] for p in pieces]
            owners = [i for i, p in enumerate(pieces) for _ in p]
            all_ids.append([first, *(i for p in pieces for i in p), last])
            all_words.append([-1, *owners, -1])
        return all_ids, all_words


class Transformer(nn.Module):
    """A transformer whose subwords are pooled to words by their mean.

    Args:
        source: the model and its tokenizer.
    """

    def __init__(self, source: PretrainedModel) -> None:
        super().__init__()
        self.model = source.make_model()
        self.width = int(self.model.config.hidden_size)
        self.pretrained = source.pretrained
        self.subwords = SubwordTable(source.tokenizer, source.limit)

    def encode(self, sentences: Iterable[Sequence[str]]) -> dict[str, Ragged]:
        """The columns `words` (place holders), `subwords` and `subword_words`."""
        held = list(sentences)
        ids, owners = self.subwords.rows(held)
        return {
            "words": Ragged.from_rows([range(len(words)) for words in held]),
            "subwords": Ragged.from_rows(ids),
            "subword_words": Ragged.from_rows(owners),
        }

    def forward(self, batch: Batch) -> Float[Tensor, "B N E"]:
        """Mean of each word's last hidden states, zero at padding."""
        subwords, owners = batch["subwords"], batch["subword_words"]
        mask = subwords.mask()
        hidden = self.model(
            input_ids=subwords.padded(), attention_mask=mask.long()
        ).last_hidden_state
        rows, words = len(batch), int(batch["words"].lengths.max())
        inner = owners.values >= 0
        target = (owners.owners * words + owners.values)[inner]
        flat = hidden[mask][inner].float()
        sums = flat.new_zeros(rows * words, self.width).index_add(0, target, flat)
        counts = flat.new_zeros(rows * words).index_add(0, target, flat.new_ones(len(target)))
        return (sums / counts.clamp(min=1)[:, None]).view(rows, words, self.width)
