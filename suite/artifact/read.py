"""Reads a model: checks that its folder is whole, and builds its system again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from suite.artifact.facts import (
    CONFIG,
    ENCODER,
    FORMAT,
    OTHERS,
    PARSER,
    VECTORS,
    WEIGHTS,
    WORDS,
    ModelFacts,
    artifact_digest,
    file_digest,
    files_of,
)
from suite.errors import SuiteError
from suite.files import read_model, read_regular
from suite.modelling.open_vocabulary import OpenVocabulary, read_open_vocabulary
from suite.modelling.parsers import CHAIN, DependencyParser, find_parser
from suite.modelling.pretrained import PretrainedModel
from suite.modelling.word_vectors import WordVectors
from suite.systems.contract import Resources, System
from suite.systems.registry import find_system, make_settings

_AGAIN = "Copy the model again, all of its files, or run its suite again."


@dataclass(frozen=True)
class Artifact:
    """A model's folder, its files checked.

    Attributes:
        folder: of it.
        facts: what `config.json` holds.
        digest: which names it.
    """

    folder: Path
    facts: ModelFacts
    digest: str

    @classmethod
    def read(cls, folder: Path, digest: str | None = None) -> Artifact:
        """Reads what a folder holds of a model, and checks that all of it is there and unchanged.

        Args:
            folder: of the model.
            digest: that it should have; None: any.

        Raises:
            SuiteError: it is not a model, is one of another version, or is damaged.
        """
        if not folder.is_dir():
            raise SuiteError("there is no such model", where=folder, remedy="Name its folder.")
        if not (folder / CONFIG).is_file():
            raise SuiteError(
                f"is not a model: it has no {CONFIG}",
                where=folder,
                remedy="Name the folder `model` of a run (OUT/runs/SYSTEM/DATASET/SEED/model).",
            )
        facts = read_model(folder / CONFIG, ModelFacts, "model's configuration", _AGAIN, FORMAT)
        found = artifact_digest(folder)
        if digest is not None and digest != found:
            raise SuiteError(
                f"is the model {found}, where its run left {digest}", where=folder, remedy=_AGAIN
            )
        _check_files(folder, facts.files)
        return cls(folder, facts, found)

    def system(self, device: torch.device) -> System:
        """The trained system, in evaluation mode.

        Raises:
            SuiteError: there is no system of its name here, or the weights are another one's.
        """
        facts = self.facts
        kind = find_system(facts.system.name)
        settings = make_settings(kind, facts.system.settings)
        with torch.random.fork_rng(devices=[]):  # what is drawn here is overwritten
            system = kind.build(settings, facts.data.restored(), self._resources())
        try:
            system.load_state_dict(self._weights())
        except RuntimeError as error:
            raise SuiteError(
                f"its weights are not those of {facts.system.name!r} under its settings",
                where=self.folder / WEIGHTS,
                remedy=f"Use the version that wrote it ({facts.version}).",
            ) from error
        return system.to(device).eval()

    def _weights(self) -> dict[str, torch.Tensor]:
        try:
            with safe_open(str(self.folder / WEIGHTS), framework="pt") as opened:
                return {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise _damaged(self.folder / WEIGHTS, str(error)) from error

    def _resources(self) -> Resources:
        facts = self.facts
        encoder = None
        if facts.encoder is not None:
            encoder = PretrainedModel.restored(self.folder / ENCODER, facts.encoder)
        return Resources(self._vectors(), encoder, facts.protocol.max_words, self._parser())

    def _vectors(self) -> WordVectors:
        facts = self.facts.vectors
        if facts is None:
            return WordVectors({}, None, 1, "none", 0.0, trained=False)
        try:
            with safe_open(str(self.folder / VECTORS), framework="pt") as opened:
                ids = opened.get_tensor("ids").tolist()
                named = "vectors" in opened.keys()  # noqa: SIM118
                matrix = opened.get_tensor("vectors") if named else None
            text = read_regular(self.folder / WORDS).decode("utf-8", "surrogatepass")
            words = dict(zip(text.split("\n") if ids else (), ids, strict=True))
        except (OSError, SafetensorError, ValueError) as error:
            raise _damaged(self.folder / VECTORS, str(error)) from error
        others: OpenVocabulary | None = None
        if facts.others:
            others = read_open_vocabulary(self.folder / OTHERS)
        return WordVectors(
            words, matrix, facts.width, facts.source, facts.coverage, facts.trained, others
        )

    def _parser(self) -> DependencyParser | None:
        named = self.facts.parser
        if named is None:
            return None
        return find_parser(CHAIN if named == CHAIN else str(self.folder / PARSER), cached=False)


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    there = set(files_of(folder))
    for name in sorted(files.keys() ^ there):
        if name in there:
            raise SuiteError(
                f"holds {name}, which is not of the model",
                where=folder,
                remedy="Take it away, or copy the model again.",
            )
        raise SuiteError(f"{name} of the model is missing", where=folder, remedy=_AGAIN)
    for name, digest in files.items():
        if file_digest(folder / name) != digest:
            raise _damaged(folder / name, "its content is not what was written")


def _damaged(path: Path, reason: str) -> SuiteError:
    return SuiteError(f"is damaged ({reason[:200]})", where=path, remedy=_AGAIN)
