"""A chunk of texts in, a chunk of rows out: one row per text, in order, whatever fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol, cast

from suite.errors import SuiteError
from suite.extraction.inputs import Text
from suite.extraction.rows import (
    Row,
    facts_in,
    failed,
    found_in,
    make_document,
    start_of,
)
from suite.extraction.text import Piece, Splitter, spaced, without_surrogates
from suite.tasks.examples import Document, Example, Sentence, TaskName
from suite.tasks.items import Prediction
from suite.tasks.registry import find_task

HOPELESS = 8
"""Texts of a chunk at all of which a model has to fail to be taken for broken."""


class Predictor(Protocol):
    """What extraction asks of a trained model: `suite.artifact.Model`, or what stands in for it."""

    @property
    def digest(self) -> str: ...  # noqa: D102
    @property
    def task(self) -> TaskName: ...  # noqa: D102
    @property
    def max_words(self) -> int: ...  # noqa: D102
    @property
    def words(self) -> str | None: ...  # noqa: D102
    @property
    def types(self) -> Mapping[str, tuple[str | None, str | None]]: ...  # noqa: D102
    def score_for_precision(self, precision: float) -> float: ...  # noqa: D102
    def predict(  # noqa: D102
        self, examples: Sequence[Example], batch_size: int | None = None
    ) -> list[list[Prediction]]: ...


@dataclass(frozen=True)
class Extractor:
    """A function from texts to rows, without a memory: chunks may be answered anywhere.

    Attributes:
        model: that answers.
        splitter: makes words of texts.
        batch_size: pieces, or documents, that the model reads at once.
        min_score: predictions below it are left out.
        with_text: whether rows hold their text.
        entities: finds the entities of texts where `model` is one of documents.
    """

    model: Predictor
    splitter: Splitter
    batch_size: int
    min_score: float = 0.0
    with_text: bool = False
    entities: Predictor | None = None

    @property
    def found(self) -> str:
        """The rows' column of what is found: `triples`, `facts` or `entities`."""
        return find_task(self.model.task).items

    def __call__(self, texts: Sequence[Text]) -> list[Row]:
        """The row of each text; that of one that failed has the field `error`.

        Raises:
            SuiteError: the model fails at every text.
        """
        rows = {i: failed(t, t.failure) for i, t in enumerate(texts) if t.failure is not None}
        left = [i for i in range(len(texts)) if i not in rows]
        causes: list[Exception] = []
        answered = self._answered([texts[i] for i in left], causes)
        if len(causes) == len(left) >= HOPELESS:
            raise SuiteError(
                f"the model failed at each of {len(left)} texts: {_said(causes[0])}",
                remedy="Once that is mended, the same command goes on where it stopped.",
            ) from causes[0]
        rows.update(zip(left, answered, strict=True))
        return [rows[i] for i in range(len(texts))]

    def _answered(self, texts: Sequence[Text], causes: list[Exception]) -> list[Row]:
        """Rows of texts, those apart at which the model or the splitter fails."""
        try:
            return self._rows(texts)
        except Exception as error:
            if len(texts) == 1:
                causes.append(error)
                return [failed(texts[0], _said(error))]
        half = len(texts) // 2
        return self._answered(texts[:half], causes) + self._answered(texts[half:], causes)

    def _rows(self, texts: Sequence[Text]) -> list[Row]:
        if not texts:
            return []
        texts = [_clean(text) for text in texts]
        if find_task(self.model.task).entities_given:
            return self._rows_of_documents(texts)
        rows = []
        for text, pieces, found in self._read(texts, self.model):
            items = list(found_in(text.text, zip(pieces, found, strict=True), self.model.types))
            rows.append({**start_of(text, with_text=self.with_text), self.found: items})
        return rows

    def _read(
        self, texts: Sequence[Text], model: Predictor
    ) -> Iterable[tuple[Text, list[Piece], list[list[Prediction]]]]:
        """Each text with its pieces and what is found in each."""
        split = [self.splitter.pieces(text.text) for text in texts]
        asked = [
            Sentence(str(i), piece.words)
            for i, piece in enumerate(piece for pieces in split for piece in pieces)
        ]
        answers = iter(self._answers(model, asked))
        for text, pieces in zip(texts, split, strict=True):
            found = list(islice(answers, len(pieces)))
            least = self.min_score if model is self.model else 0.0
            yield text, pieces, [[p for p in some if p.score >= least] for some in found]

    def _rows_of_documents(self, texts: Sequence[Text]) -> list[Row]:
        if self.entities is None:
            given = [cast("Document", text.document) for text in texts]
            documents = [(document, spaced(document.words)) for document in given]
        else:
            documents = [make_document(*read) for read in self._read(texts, self.entities)]
        # A document without two entities has no pair, and nothing to be read for.
        asked = [i for i, (document, _) in enumerate(documents) if len(document.entities) > 1]
        answers = self._answers(self.model, [documents[i][0] for i in asked])
        found: list[list[Prediction]] = [[] for _ in texts]
        for i, predictions in zip(asked, answers, strict=True):
            found[i] = [p for p in predictions if p.score >= self.min_score]
        return [
            start_of(text, with_text=self.with_text) | facts_in(text.text, *documents[i], found[i])
            for i, text in enumerate(texts)
        ]

    def _answers(self, model: Predictor, examples: Sequence[Example]) -> list[list[Prediction]]:
        """What a model finds in each example.

        Raises:
            SuiteError: the model gave another number of answers.
        """
        if not examples:
            return []
        answers = model.predict(examples, self.batch_size)
        if len(answers) != len(examples):
            raise SuiteError(f"the model gave {len(answers)} answers to {len(examples)} pieces")
        return answers


def _clean(text: Text) -> Text:
    """A text of the same length that every tokenizer and file takes."""
    clean = without_surrogates(text.text)
    return text if clean == text.text else replace(text, text=clean)


def _said(error: Exception) -> str:
    """An error as a row tells it."""
    if isinstance(error, SuiteError):
        return error.cause
    return f"{type(error).__name__}: {error}".removesuffix(": ")
