"""A trained system that is ready to predict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch

from suite.artifact.facts import CONFIG, OF_A_RUN, ONNX, ModelFacts
from suite.artifact.read import Artifact
from suite.errors import SuiteError
from suite.extraction.extractor import Extractor
from suite.extraction.inputs import Text
from suite.extraction.rows import Row
from suite.extraction.text import Splitter, words_asked
from suite.modelling.batching import evaluation_batches
from suite.modelling.device import autocast, resolve_device
from suite.systems.contract import System, given, predict
from suite.systems.onnx_graphs import OnnxEngine
from suite.tasks.examples import Example, TaskName
from suite.tasks.items import Prediction
from suite.tasks.registry import find_task

Engine: TypeAlias = Literal["torch", "onnx"]
"""What computes a model's network."""


class Model:
    """A trained system and what its folder says of it.

    Args:
        artifact: the model's folder, read.
        device: where it computes, as `resolve_device` takes it.
        engine: what computes its network: torch, under the precision of its training, or
            onnxruntime, in float32 on the CPU, from what `export-model` wrote.

    Raises:
        SuiteError: this machine has no such device, there is no system of its name here, or its
            weights are another one's.
    """

    def __init__(self, artifact: Artifact, device: str = "auto", engine: Engine = "torch") -> None:
        self.artifact = artifact
        self.device = resolve_device("cpu" if engine == "onnx" and device == "auto" else device)
        self.system: System = artifact.system(self.device)
        self._predict: Callable[[Any], list[list[Prediction]]] = partial(predict, self.system)
        if engine == "onnx":
            self._predict = self._exported().predict

    @classmethod
    def load(cls, path: Path | str, device: str = "auto", engine: Engine = "torch") -> Model:
        """Loads a model by its folder, or by that of the run that left it.

        Raises:
            SuiteError: there is none, or it is damaged, or of another version; see `Artifact.read`.
        """
        folder = Path(path)
        run = folder / OF_A_RUN
        of_a_run = not (folder / CONFIG).exists() and run.is_dir()
        if (folder / "record.json").exists() and not of_a_run:
            raise SuiteError(
                "the run has left no model",
                where=folder,
                remedy="Only complete runs have one: the command that began it goes on with it.",
            )
        return cls(Artifact.read(run if of_a_run else folder), device, engine)

    def _exported(self) -> OnnxEngine:
        folder = self.artifact.folder / ONNX
        if self.device.type != "cpu":
            raise SuiteError(
                f"the engine onnx computes on the CPU, not on {self.device}",
                remedy="Leave out --device, or the engine.",
            )
        if not folder.is_dir():
            raise SuiteError(
                "the model was not exported", where=folder, remedy="Run export-model on it first."
            )
        return OnnxEngine(self.system, folder, torch.get_num_threads())

    @property
    def facts(self) -> ModelFacts:
        """What is known of it."""
        return self.artifact.facts

    @property
    def digest(self) -> str:
        """Which names it."""
        return self.artifact.digest

    @property
    def task(self) -> TaskName:
        """What it is for."""
        return self.facts.task

    @property
    def max_words(self) -> int:
        """The most words that it reads of a sentence."""
        return self.facts.protocol.max_words

    @property
    def types(self) -> Mapping[str, tuple[str | None, str | None]]:
        """Relation -> the types of its head and tail; None where there are none, or several."""
        return self.facts.types

    @property
    def words(self) -> str | None:
        """How the texts of its dataset became words; None: at white space."""
        return self.facts.words

    def score_for_precision(self, precision: float) -> float:
        """The lowest score from which upwards dev's predictions had a precision.

        Raises:
            SuiteError: they had it at no score.
        """
        fitting = [t.score for t in self.facts.thresholds if t.precision >= precision]
        if not fitting:
            best = max((t.precision for t in self.facts.thresholds), default=0.0)
            raise SuiteError(
                f"no score gives a precision of {precision} on its dev set",
                where=self.artifact.folder,
                remedy=f"The highest is {best:.3f}.",
            )
        return min(fitting)

    def predict(
        self, examples: Sequence[Example], batch_size: int | None = None
    ) -> list[list[Prediction]]:
        """What it finds in each example, in word offsets.

        Args:
            examples: with gold or without, which is not looked at; documents with their entities.
                Words past `max_words` of a sentence are not read.
            batch_size: examples at once, of similar length; None: as test was predicted.
        """
        if not examples:
            return []
        seen = [given(self.system, example.cut(self.max_words)) for example in examples]
        found: list[list[Prediction]] = [[] for _ in seen]
        lengths = torch.tensor([len(example.words) for example in seen])
        size = batch_size or find_task(self.task).evaluation_batch
        with torch.inference_mode(), autocast(self.facts.protocol.precision, self.device):
            for rows in evaluation_batches(lengths, size):
                group = [seen[i] for i in rows.tolist()]
                batch = self.system.encode(group).to(self.device)
                for i, items in zip(rows.tolist(), self._predict(batch), strict=True):
                    found[i] = items
        return found

    def extract(
        self,
        texts: Iterable[str],
        *,
        language: str | None = None,
        pretokenised: bool = False,
        min_score: float = 0.0,
        batch_size: int = 128,
        entities: Model | None = None,
    ) -> list[Row]:
        """What it finds in raw texts, in characters of each.

        Args:
            texts: of any length, in memory; files are for `extract-relations`.
            language: whose rules split them (spaCy's); None: as the model's data, else `en`.
            pretokenised: whether words stand between white space, and a text is one sentence.
            min_score: what scores less is left out.
            batch_size: sentences, or documents, that are read at once.
            entities: finds the entities of texts where this model finds facts between them.

        Returns:
            A row for each text (`suite.extraction.rows`), whose `id` is its number from 1; of one
            that failed, with `error`.

        Raises:
            SuiteError: the language is unknown, or this model is one of documents and `entities` is
                missing.
        """
        if find_task(self.task).entities_given and entities is None:
            raise SuiteError(
                "finds facts between entities, and texts do not say what these are",
                where=self.artifact.folder,
                remedy="Give a model that finds them as `entities`.",
            )
        reader = entities or self
        words = words_asked(language, pretokenised=pretokenised, words=reader.words)
        extractor = Extractor(
            self, Splitter(words, reader.max_words), batch_size, min_score, entities=entities
        )
        return extractor([Text(str(i), "", i, text) for i, text in enumerate(texts, 1)])
