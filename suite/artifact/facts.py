"""What `config.json` of a model says, and the names of the files beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np

from suite.files import StrictModel, content_digest
from suite.modelling.pretrained import EncoderFacts
from suite.protocol import Protocol
from suite.records.run import DatasetFacts, SystemFacts
from suite.tasks.examples import TaskName
from suite.tasks.schema import Schema
from suite.tasks.scores import Evaluation

FORMAT: Final = 1
CONFIG, CARD = "config.json", "README.md"
WEIGHTS, WORDS, VECTORS = "model.safetensors", "words.txt", "vectors.safetensors"
OTHERS = "other-words.safetensors"
OF_A_RUN = "model"
"""Folder of a complete run's model, in the run's."""
ONNX = "onnx"
"""Folder of what `export-model` wrote, which has digests of its own."""
ENCODER, PARSER = "encoder", "parser"


class SchemaFacts(StrictModel):
    """A `Schema` as a file holds it."""

    task: TaskName
    relations: tuple[str, ...]
    entity_types: tuple[str, ...]
    head_types: dict[str, tuple[str, ...]]
    nested: bool

    @classmethod
    def of(cls, schema: Schema) -> SchemaFacts:
        """The facts of a schema."""
        heads = {relation: tuple(sorted(types)) for relation, types in schema.head_types.items()}
        return cls(
            task=schema.task,
            relations=schema.relations,
            entity_types=schema.entity_types,
            head_types=heads,
            nested=schema.nested,
        )

    def restored(self) -> Schema:
        """The schema again."""
        heads = {relation: frozenset(types) for relation, types in self.head_types.items()}
        return Schema(self.task, self.relations, self.entity_types, heads, self.nested)


class VectorsFacts(StrictModel):
    """The word vectors of a model.

    Attributes:
        width: numbers per word.
        words: how many it was trained with.
        source: where they are from.
        coverage: share of the training tokens that have one.
        trained: whether training changed them.
        others: how many words it knows besides.
    """

    width: int
    words: int
    source: str
    coverage: float
    trained: bool
    others: int


class Threshold(StrictModel):
    """What predictions of a score, or of a higher one, were worth on dev."""

    score: float
    precision: float
    recall: float


class ModelFacts(StrictModel):
    """The content of `config.json`.

    Attributes:
        version: of the suite that wrote it.
        system: who was trained, from what, under which settings.
        task: what it finds.
        data: what it is made to find.
        types: relation -> the types of its head and tail; None where the dataset names none, or
            several.
        protocol: under which it was trained, and computes.
        seed: of its run.
        dataset: what it was trained on.
        licence: of the dataset; empty where it is not known.
        words: how texts of the dataset became words; None: at white space.
        dev, test: its scores, without slices; None where test was not scored.
        thresholds: from the highest score downwards; empty where dev had no prediction.
        vectors, encoder, parser: what it was built from; None where it uses none.
        versions: of the libraries that computed.
        files: SHA-256 of each file of the folder but this one and the card.
    """

    format: Literal[1] = FORMAT
    version: str
    system: SystemFacts
    task: TaskName
    data: SchemaFacts
    types: dict[str, tuple[str | None, str | None]]
    protocol: Protocol
    seed: int
    dataset: DatasetFacts
    licence: str
    words: str | None
    dev: Evaluation | None
    test: Evaluation | None
    thresholds: tuple[Threshold, ...]
    vectors: VectorsFacts | None
    encoder: EncoderFacts | None
    parser: str | None
    versions: dict[str, str]
    files: dict[str, str]


def thresholds(graded: Sequence[tuple[float, bool]], gold: int, most: int = 200) -> list[Threshold]:
    """Precision and recall on dev from each of some scores upwards.

    Args:
        graded: predictions of dev with whether they are right, highest score first.
        gold: how many gold items dev has.
        most: scores that are told, evenly over the predictions.
    """
    if not graded:
        return []
    scores = np.array([score for score, _ in graded])
    right = np.cumsum([is_right for _, is_right in graded])
    # A score's last prediction: those before it of the same score are not told apart.
    ends = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    kept = ends[np.unique(np.linspace(0, len(ends) - 1, min(most, len(ends))).round().astype(int))]
    return [
        Threshold(
            score=float(scores[i]),
            precision=float(right[i] / (i + 1)),
            recall=float(right[i] / gold) if gold else 0.0,
        )
        for i in kept
    ]


def files_of(folder: Path) -> list[str]:
    """The files of a model whose digests its `config.json` holds."""
    paths = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    others = (CONFIG, CARD, f"{ONNX}/")
    return sorted(name for name in paths if not name.startswith(others))


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def artifact_digest(folder: Path) -> str:
    """Twelve digits over a model: of its `config.json`, which holds those of all other files."""
    return content_digest(folder / CONFIG)
