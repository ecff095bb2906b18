"""What is known of the public datasets: task, source, published counts and fingerprints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from suite.datasets.dataset import TypeMap
from suite.tasks.examples import TaskName

SplitName = Literal["train", "dev", "test"]
NAMES: tuple[SplitName, ...] = ("train", "dev", "test")


@dataclass(frozen=True)
class RemoteFile:
    """A published file.

    Attributes:
        path: within its repository.
        blob: git blob id of its content.
        bytes: its size; None where only the id is known.
    """

    path: str
    blob: str
    bytes: int | None = None


@dataclass(frozen=True)
class Source:
    """A public GitHub repository at a fixed commit."""

    repository: str
    commit: str
    files: Mapping[SplitName, RemoteFile]


@dataclass(frozen=True)
class PublishedSize:
    """Published size of a split.

    Attributes:
        sentences: or documents.
        source: the paper or file that says so.
    """

    sentences: int
    source: str


@dataclass(frozen=True)
class Entry:
    """A dataset of the registry.

    Attributes:
        name: by which it is asked for.
        title: as tables print it.
        source: where the files are; None where no public file is pinned.
        types: the entity types of the relations; None where the files type their entities, or
            where nothing does and all are `ANY`.
        relations: in their order, where they are not simply those of train.
        entity_types: as published, for the list of datasets; what the files hold decides.
        counts: the published sizes a split may have, the one that papers quote first.
        last_words: whether gold names an entity by its last word alone.
        files_of: the entry whose files these are, read for another task; empty for its own.
    """

    name: str
    title: str
    task: TaskName
    licence: str
    citation: str
    source: Source | None
    entity_types: tuple[str, ...]
    counts: Mapping[SplitName, tuple[PublishedSize, ...]]
    types: TypeMap | None = None
    relations: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    last_words: bool = False
    files_of: str = ""

    @property
    def folder(self) -> str:
        """Name of the folder that holds its files, and of what is known of them."""
        return self.files_of or self.name
