"""The first words of a file of vectors, which a trained system knows besides its dataset's.

They lie in a file of half-precision numbers that is mapped into memory: of 400,000 words, those
that are met are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor

from suite.errors import SuiteError

MOST_WORDS = 400_000
"""As many as glove.6B has."""
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class OpenVocabulary:
    """Words with vectors that no training has changed.

    Attributes:
        rows: row of each word.
        matrix: shape (words, width), float16.
    """

    rows: Mapping[str, int]
    matrix: Float[Tensor, "words width"]

    def vectors(self, rows: Int[Tensor, " some"]) -> Float[Tensor, "some width"]:
        """The vectors of some rows, float32, where the rows lie."""
        return self.matrix.index_select(0, rows.cpu()).float().to(rows.device)


def packed(vectors: Mapping[str, Float[np.ndarray, " width"]]) -> bytes:
    """The file of words and their vectors, in their order."""
    words = np.frombuffer("\n".join(vectors).encode("utf-8", "surrogatepass"), np.uint8)
    return save({"words": words, "vectors": np.stack(list(vectors.values()))})


def halved(numbers: Float[np.ndarray, " width"]) -> Float[np.ndarray, " width"]:
    """Numbers as float16, which has none above 65,504."""
    return numbers.clip(-_LARGEST, _LARGEST).astype(np.float16)


def read_open_vocabulary(path: Path) -> OpenVocabulary:
    """The words of a file that holds what `packed` gave.

    Raises:
        SuiteError: it cannot be read, or holds something else.
    """
    try:
        with safe_open(str(path), framework="pt") as opened:
            words, matrix = opened.get_tensor("words"), opened.get_tensor("vectors")
        text = words.numpy().tobytes().decode("utf-8", "surrogatepass")
    except (OSError, SafetensorError, UnicodeDecodeError) as error:
        raise SuiteError(
            f"holds no words with vectors ({type(error).__name__})",
            where=path,
            remedy="Copy the model again, all of its files.",
        ) from error
    rows = {word: row for row, word in enumerate(text.split("\n"))}
    if matrix.dtype != torch.float16 or matrix.ndim != 2 or len(matrix) != len(rows):
        raise SuiteError(
            f"holds {len(rows):,} words and vectors of the shape {tuple(matrix.shape)}",
            where=path,
            remedy="Copy the model again, all of its files.",
        )
    return OpenVocabulary(rows, matrix)
