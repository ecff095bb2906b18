"""What was computed of explained sentences, and its means over classes of words.

Letters in shapes: N words, H heads of an attention. Holds no tensor: reports read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from suite.explanation.word_classes import CLASSES, WordClass
from suite.records.run import RunRecord
from suite.tasks.examples import Sentence
from suite.uncertainty.bootstrap import LEVEL
from suite.uncertainty.resampling import drawn_sums

GRADIENT_NORM = "gradient norm"
FOLDER, CLASS_MEANS = "explain", "classes.csv"
"""Where `explain-run` leaves what it found in a run's folder, and its file of `class_means`."""


@dataclass(frozen=True)
class ExplainedSentence:
    """A test sentence with what was computed of each word.

    Attributes:
        sentence: as the system saw it.
        classes: of each word.
        norms: gradient norm of each word (`suite.modelling.gradients.gradient_norms`).
        received: name of a tagger -> the attention that a word gets, mean over the words that
            attend and over heads.
        maps: name of a tagger -> weights from the word of the row to that of the column; empty for
            sentences that are not drawn.
    """

    sentence: Sentence
    classes: tuple[WordClass, ...]
    norms: Float[np.ndarray, " N"]
    received: Mapping[str, Float[np.ndarray, " N"]]
    maps: Mapping[str, Float[np.ndarray, "H N N"]]

    def measures(self) -> dict[str, Float[np.ndarray, " N"]]:
        """The gradient norm and each attention, as multiples of the sentence's mean."""
        attention = {f"attention of the {name}": values for name, values in self.received.items()}
        return {name: relative(v) for name, v in {GRADIENT_NORM: self.norms, **attention}.items()}


@dataclass(frozen=True)
class ExplainedRun:
    """A run with its explained test sentences.

    Attributes:
        record: of the run.
        sentences: the whole test split in its order.
        drawn: those that are shown in figures.
        predicates: how predicate words were found; None where they were not.
        notes: sentences on what was asked for and is not available.
    """

    record: RunRecord
    sentences: Sequence[ExplainedSentence]
    drawn: Sequence[ExplainedSentence]
    predicates: str | None
    notes: tuple[str, ...] = ()

    @property
    def with_triples(self) -> list[ExplainedSentence]:
        """The sentences that hold a gold triple; the others have no word of most classes."""
        return [s for s in self.sentences if s.sentence.triples]


class ClassMean(NamedTuple):
    """The mean of a measure over the words of a class.

    Attributes:
        measure: one of `ExplainedSentence.measures`.
        word_class: the class.
        mean: over all its words; None where there are none.
        low, high: its 95 % interval; None where fewer than two sentences have such words.
        words, sentences: how many there are.
    """

    measure: str
    word_class: WordClass
    mean: float | None
    low: float | None
    high: float | None
    words: int
    sentences: int


def relative(values: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """Multiples of the sentence's mean, so that 1 is its average word; NaN where all are 0.

    This makes sentences of different loss and length comparable; the paper does not say how it
    normalises.
    """
    average = values.mean()
    return values / average if average > 0 else np.full_like(values, np.nan)


def class_means(
    sentences: Sequence[ExplainedSentence], samples: int = 10_000, seed: int = 0
) -> list[ClassMean]:
    """The mean of each measure over each class of words, with a bootstrap over sentences.

    Each sample draws as many sentences as there are, with replacement; the interval is the
    percentile interval (Efron and Tibshirani, 1993, chapter 13). Words of one sentence stay
    together, since their values depend on each other.

    Args:
        sentences: with the same measures.
        samples: how often the sentences are drawn.
        seed: of the draws; equal seeds give equal results.
    """
    if not sentences:
        return []
    rows = [s.measures() for s in sentences]
    columns = [(measure, kind) for measure in rows[0] for kind in CLASSES]
    sums = np.zeros((len(sentences), len(columns)))
    counts = np.zeros_like(sums)
    for i, (explained, row) in enumerate(zip(sentences, rows, strict=True)):
        classes = np.asarray(explained.classes)
        for j, (measure, kind) in enumerate(columns):
            own = row[measure][classes == kind]
            own = own[np.isfinite(own)]
            sums[i, j], counts[i, j] = own.sum(), len(own)
    low, high = _intervals(sums, counts, samples, seed)
    means: list[ClassMean] = []
    for j, (measure, kind) in enumerate(columns):
        words, several = int(counts[:, j].sum()), int((counts[:, j] > 0).sum())
        mean = float(sums[:, j].sum()) / words if words else None
        ends = (low[j], high[j]) if several > 1 else None
        first, last = map(float, ends) if ends else (None, None)
        means.append(ClassMean(measure, kind, mean, first, last, words, several))
    return means


def _intervals(
    sums: Float[np.ndarray, "sentences columns"],
    counts: Float[np.ndarray, "sentences columns"],
    samples: int,
    seed: int,
) -> Float[np.ndarray, "2 columns"]:
    """Ends of the interval of each column's summed `sums` over summed `counts`."""
    width = sums.shape[1]
    means = []
    for drawn in drawn_sums(np.concatenate([sums, counts], axis=1), samples, seed):
        total, number = drawn[:, :width], drawn[:, width:]
        mean = np.full(total.shape, np.nan)
        means.append(np.divide(total, number, out=mean, where=number > 0))
    present = counts.sum(0) > 0
    ends = np.full((2, width), np.nan)
    tail = (1 - LEVEL) / 2
    drawn_means = np.concatenate(means)[:, present]
    ends[:, present] = np.nanquantile(drawn_means, [tail, 1 - tail], axis=0)
    return ends
