"""What is held of a published figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pydantic import JsonValue

from suite.protocol import Match
from suite.studies.figures import EncoderKind, Form

Settings: TypeAlias = Mapping[str, tuple[JsonValue, ...]]
"""Setting of one of the suite's systems -> values under which it is the published one."""

STAR_DATASETS = frozenset({"nyt24-star", "webnlg-star"})
"""The suite's names of the datasets in which an entity is named by its last word."""


def form_of(dataset: str) -> Form:
    """The form of one of the suite's datasets."""
    return "last words" if dataset in STAR_DATASETS else "whole names"


@dataclass(frozen=True)
class PublishedScore:
    """One row of a published table of scores, in per cent.

    Attributes:
        source, table: where it is printed.
        row: the name of the row there.
        system: the suite's name of that system; None where the suite has none.
        dataset: the suite's name of the dataset.
        encoder: what reads the words, with its word vectors; "not stated" where it is not.
        kind: of that encoder; None where not stated.
        precision, recall: None where not printed.
        origin: who ran it, where that is not the authors of the source.
        settings: under which the suite's system is this one; what they do not name is free.
        device: None where it is not stated.
        train_minutes: total training.
        inference_seconds: the whole test set, at a batch size that the paper does not state.
    """

    source: str
    table: str
    row: str
    system: str | None
    dataset: str
    form: Form
    match: Match
    encoder: str
    kind: EncoderKind | None
    precision: float | None
    recall: float | None
    f1: float
    origin: str = ""
    settings: Settings = field(default_factory=dict)
    device: str | None = None
    train_minutes: float | None = None
    inference_seconds: float | None = None

    @property
    def splits(self) -> tuple[str, str]:
        """Those that must be the published ones where a figure is set beside this one."""
        return "train", "test"

    @property
    def printed(self) -> str:
        """F1 with the digits of the paper."""
        return f"{self.f1:.1f}"


@dataclass(frozen=True)
class PublishedDocumentScore:
    """One row of a published table of scores of documents, in per cent.

    Attributes:
        source, table: where it is printed.
        row: the name of the row there.
        system: the suite's name of that system.
        dataset: the suite's name of the dataset.
        split: what was scored.
        encoder: the pretrained transformer.
        kind: of that encoder.
        batch_size: documents a step.
        train_share: of the training documents that were used, per cent.
        theta: a probability; like the following, None where not printed.
        best_epoch: with its F1 and AUC as the paper's own columns, which it does not define.
        origin: who scored it, where that is not the authors of the source.
        settings: under which the suite's system is this one; what they do not name is free.
    """

    source: str
    table: str
    row: str
    system: str
    dataset: str
    split: Literal["dev", "test"]
    encoder: str
    kind: EncoderKind
    batch_size: int
    train_share: int
    f1: float
    theta: float | None = None
    ign_f1: float | None = None
    auc: float | None = None
    ign_auc: float | None = None
    best_epoch: int | None = None
    best_epoch_f1: float | None = None
    best_epoch_auc: float | None = None
    origin: str = ""
    settings: Settings = field(default_factory=dict)

    @property
    def splits(self) -> tuple[str, str]:
        """Those that must be the published ones where a figure is set beside this one."""
        return "train", self.split

    @property
    def printed(self) -> str:
        """F1 with the digits of the paper."""
        return f"{self.f1:.2f}"


Published: TypeAlias = PublishedScore | PublishedDocumentScore


@dataclass(frozen=True)
class PublishedEfficiency:
    """One row of FastRE's Table 3.

    Attributes:
        parameters: thousands, of the official implementation.
        milliseconds: batch size -> time per instance.
    """

    row: str
    system: str | None
    dataset: str
    parameters: int
    milliseconds: dict[int, float]
