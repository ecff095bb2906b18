"""A chunk of texts in, a chunk of rows out: one row per text, in order, whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias, TypeVar, cast

from suite.errors import SuiteError
from suite.extraction.inputs import Text
from suite.extraction.model import AnyModel, DocumentModel, Model
from suite.extraction.rows import (
    Row,
    facts_in,
    failed,
    found_in,
    make_document,
    start_of,
    words_of_document,
)
from suite.extraction.text import Piece, Splitter, without_surrogates
from suite.tasks.examples import Document
from suite.tasks.items import Prediction
from suite.tasks.registry import find_task

T = TypeVar("T")
Answer: TypeAlias = Callable[[Sequence[T], int], list[list[Prediction]]]
"""What a model finds in each of several things, so many at a time."""
HOPELESS = 8
"""Texts of a chunk at all of which a model has to fail to be taken for broken."""


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

    model: AnyModel
    splitter: Splitter
    batch_size: int
    min_score: float = 0.0
    with_text: bool = False
    entities: Model | None = None

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
        if find_task(self.model.task).entities_given:
            return self._rows_of_documents(texts)
        model = cast("Model", self.model)
        rows = []
        for text, pieces, found in self._read(texts, model):
            items = list(found_in(text.text, zip(pieces, found, strict=True), model.types))
            rows.append({**start_of(text, with_text=self.with_text), self.found: items})
        return rows

    def _read(
        self, texts: Sequence[Text], model: Model
    ) -> Iterable[tuple[Text, list[Piece], list[list[Prediction]]]]:
        """Each text with its pieces and what is found in each."""
        split = [self.splitter.pieces(text.text) for text in texts]
        words = [
            tuple(map(without_surrogates, piece.words)) for pieces in split for piece in pieces
        ]
        answers = iter(self._by_length(words, len, model.extract_pieces))
        for text, pieces in zip(texts, split, strict=True):
            found = list(islice(answers, len(pieces)))
            least = self.min_score if model is self.model else 0.0
            yield text, pieces, [[p for p in some if p.score >= least] for some in found]

    def _rows_of_documents(self, texts: Sequence[Text]) -> list[Row]:
        if self.entities is None:
            given = [cast("Document", text.document) for text in texts]
            documents = [(document, words_of_document(document)) for document in given]
        else:
            documents = [make_document(*read) for read in self._read(texts, self.entities)]
        # A document without two entities has no pair, and nothing to be read for.
        asked = [i for i, (document, _) in enumerate(documents) if len(document.entities) > 1]
        model = cast("DocumentModel", self.model)
        answers = self._by_length(
            [documents[i][0] for i in asked], lambda d: len(d.words), model.extract_documents
        )
        found: list[list[Prediction]] = [[] for _ in texts]
        for i, predictions in zip(asked, answers, strict=True):
            found[i] = [p for p in predictions if p.score >= self.min_score]
        return [
            start_of(text, with_text=self.with_text) | facts_in(text.text, *documents[i], found[i])
            for i, text in enumerate(texts)
        ]

    def _by_length(
        self, given: Sequence[T], length: Callable[[T], int], answer: Answer[T]
    ) -> list[list[Prediction]]:
        """The answers to what is given, asked longest first, so that batches hold no padding.

        Raises:
            SuiteError: the model gave another number of answers.
        """
        if not given:
            return []
        order = sorted(range(len(given)), key=lambda i: length(given[i]), reverse=True)
        answers = answer([given[i] for i in order], self.batch_size)
        if len(answers) != len(order):
            raise SuiteError(f"the model gave {len(answers)} answers to {len(order)} pieces")
        found: list[list[Prediction]] = [[] for _ in order]
        for i, one in zip(order, answers, strict=True):
            found[i] = one
        return found


def _said(error: Exception) -> str:
    """An error as a row tells it."""
    if isinstance(error, SuiteError):
        return error.cause
    return f"{type(error).__name__}: {error}".removesuffix(": ")
