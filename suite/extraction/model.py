"""What extraction asks of a trained model, and the one place where one is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from suite.errors import SuiteError
from suite.tasks.examples import Document, TaskName
from suite.tasks.items import Prediction

Engine: TypeAlias = Literal["torch", "onnx"]
"""What computes a model's predictions."""


class Loaded(Protocol):
    """What every trained model says of itself.

    Attributes:
        digest: names its content; the same for the same weights, vectors and settings.
        task: what it finds.
        max_words: of a piece that it reads.
        words: how the text of its dataset became words, as `suite.datasets.words` names it; None:
            its dataset came in words.
        types: relation -> the types of its head and tail; None where the dataset names none, or
            several. Empty for the task `ner`.
    """

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

    def score_for_precision(self, precision: float) -> float:
        """The lowest score from which upwards predictions on dev were as precise.

        Raises:
            SuiteError: at no score were they.
        """


@runtime_checkable
class Model(Loaded, Protocol):
    """Finds triples or entities in sentences."""

    def extract_pieces(
        self, pieces: Sequence[tuple[str, ...]], batch_size: int
    ) -> list[list[Prediction]]:
        """The predictions for each piece, whose spans count its words.

        Args:
            pieces: of one word to `max_words` each, best of similar length one after the other.
            batch_size: pieces that are read at once.
        """


@runtime_checkable
class DocumentModel(Loaded, Protocol):
    """Finds facts between the entities of documents."""

    def extract_documents(
        self, documents: Sequence[Document], batch_size: int
    ) -> list[list[Prediction]]:
        """The facts of each document, which name its entities by index.

        Args:
            documents: with entities, without facts.
            batch_size: documents that are read at once.
        """


AnyModel: TypeAlias = Model | DocumentModel


def load_model(path: Path, device: str, engine: Engine = "torch") -> AnyModel:
    """The model of a run or an artifact.

    This is the seam to trained models: nothing else in extraction loads one.

    Args:
        path: of its folder.
        device: `auto`, `cpu`, `cuda`, ... as `--device` takes it.
        engine: that computes.

    Raises:
        SuiteError: there is none, it is damaged or of another version, or the machine lacks the
            device or engine.
    """
    del device, engine
    raise SuiteError(
        "models cannot be loaded yet", where=path, remedy="A later version loads them."
    )
