"""Writes a trained system into a folder of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

import suite
from suite.artifact.card import model_card
from suite.artifact.facts import (
    CARD,
    CONFIG,
    ENCODER,
    OTHERS,
    PARSER,
    VECTORS,
    WEIGHTS,
    WORDS,
    ModelFacts,
    SchemaFacts,
    VectorsFacts,
    artifact_digest,
    file_digest,
    files_of,
)
from suite.errors import SuiteError
from suite.files import ROOM, read_regular, write_atomically
from suite.modelling.open_vocabulary import read_open_vocabulary
from suite.modelling.parsers import CHAIN, DependencyParser
from suite.modelling.pretrained import EncoderFacts, PretrainedModel
from suite.modelling.word_vectors import WordVectors
from suite.systems.contract import Resources, System
from suite.tasks.schema import Schema


@dataclass(frozen=True)
class Parts:
    """What a model is written from.

    Attributes:
        system: with the selected weights.
        schema: of its dataset.
        resources: that it was built from, those that it needs alone; but word vectors are there for
            every system.
        uses_vectors: whether they are needed.
        facts: fields of `ModelFacts` that no file tells.
        others: file of the other words' vectors, which the folder shares where it can; None: none.
    """

    system: System
    schema: Schema
    resources: Resources
    uses_vectors: bool
    facts: Mapping[str, Any]
    others: Path | None


def write_artifact(folder: Path, parts: Parts) -> str:
    """Writes a model in place of what was there; its digest.

    Raises:
        SuiteError: the folder cannot be written, or the disk is full.
    """
    _clear(folder)
    # Copies: safetensors takes no two names of one tensor, as a tied layer has.
    state = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in parts.system.state_dict().items()
    }
    write_atomically(folder / WEIGHTS, save(state))
    vectors = encoder = parser = None
    if parts.uses_vectors:
        vectors = _write_vectors(folder, parts.resources.vectors, parts.others)
    if parts.resources.pretrained is not None:
        encoder = _write_encoder(folder / ENCODER, parts.resources.pretrained)
    if parts.resources.parser is not None:
        parser = _write_parser(folder / PARSER, parts.resources.parser)
    facts = ModelFacts(
        **parts.facts,
        version=suite.__version__,
        task=parts.schema.task,
        data=SchemaFacts.of(parts.schema),
        vectors=vectors,
        encoder=encoder,
        parser=parser,
        files={name: file_digest(folder / name) for name in files_of(folder)},
    )
    write_atomically(folder / CARD, model_card(facts))
    write_atomically(folder / CONFIG, facts.model_dump_json(indent=1))
    return artifact_digest(folder)


def _clear(folder: Path) -> None:
    with suppress(FileNotFoundError):
        (folder / CONFIG).unlink()  # first: what is left without it is not a model
    try:
        shutil.rmtree(folder, ignore_errors=False)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SuiteError(
            f"cannot be replaced: {error.strerror}", where=folder, remedy="Delete it by hand."
        ) from error


def _write_vectors(folder: Path, vectors: WordVectors, others: Path | None) -> VectorsFacts:
    words = sorted(vectors.ids, key=lambda word: (vectors.ids[word], word))
    ids = [vectors.ids[word] for word in words]
    write_atomically(folder / WORDS, "\n".join(words).encode("utf-8", "surrogatepass"))
    tensors = {"ids": torch.tensor(ids)}
    if vectors.matrix is not None:
        tensors["vectors"] = vectors.matrix.detach().cpu().contiguous()
    write_atomically(folder / VECTORS, save(tensors))
    known = 0
    if others is not None:
        _share(others, folder / OTHERS)
        known = len(read_open_vocabulary(folder / OTHERS).rows)
    return VectorsFacts(
        width=vectors.width,
        words=vectors.rows - 2,
        source=vectors.source,
        coverage=vectors.coverage,
        trained=vectors.trained,
        others=known,
    )


def _share(source: Path, target: Path) -> None:
    """One file under two names, which takes no room, or a copy of it."""
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        write_atomically(target, read_regular(source))


def _write_encoder(folder: Path, encoder: PretrainedModel) -> EncoderFacts:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        encoder.save(folder)
    except OSError as error:
        raise SuiteError(
            f"cannot be written: {error.strerror}",
            where=folder,
            remedy=ROOM,
        ) from error
    return encoder.facts


def _write_parser(folder: Path, parser: DependencyParser) -> str:
    if parser.folder is None:
        return CHAIN
    for path in sorted(p for p in parser.folder.rglob("*") if p.is_file()):
        write_atomically(folder / path.relative_to(parser.folder), read_regular(path))
    return PARSER
