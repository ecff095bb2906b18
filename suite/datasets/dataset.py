"""What `load_dataset` returns: splits with their fingerprints and what was found wrong in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from suite.tasks.examples import Example, SurfaceTriple, TaskName
from suite.tasks.familiarity import Known
from suite.tasks.matching import Wording
from suite.tasks.registry import find_task
from suite.tasks.schema import Schema

TypeMap = Mapping[str, tuple[str, str]]
"""Relation -> (entity type of its subject, entity type of its object)."""


class Sample(NamedTuple):
    """One worded instance of a problem."""

    file: str
    record: str
    what: str


@dataclass(frozen=True)
class Problems:
    """What was odd about a split, counted; nothing of it was dropped.

    Attributes:
        not_found: heads and tails, counted for each triple of the file, that do not occur among
            their sentence's words; their triples are `Sentence.unplaced`.
        ambiguous: likewise, that occur more than once; the first occurrence is taken.
        duplicates: triples, facts or entities that repeat one of the same example.
        empty: examples without triples, facts or (for `ner`) entities.
        unknown_relation: triples or facts of dev or test whose relation train lacks.
        unknown_type: entities of dev or test whose type train lacks.
        leaked: examples of dev or test whose text is also in train.
        repeated: examples whose text an earlier example of the same split has.
        samples: up to five instances of each.
    """

    not_found: int = 0
    ambiguous: int = 0
    duplicates: int = 0
    empty: int = 0
    unknown_relation: int = 0
    unknown_type: int = 0
    leaked: int = 0
    repeated: int = 0
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True)
class Split:
    """One of train, dev and test.

    Attributes:
        name: `train`, `dev` or `test`.
        path: the file it was read from; None where it was not read from one.
        examples: in the order of the file.
        fingerprint: SHA-256 over the examples (`suite.datasets.fingerprint`).
        published: whether it is the published split; None where nothing is published to compare
            with. Of a train split that a dev set was cut from: whether the whole file is.
        problems: what was odd about it; of a train split that a dev set was cut from: about the
            whole file.
    """

    name: str
    path: Path | None
    examples: tuple[Example, ...]
    fingerprint: str
    published: bool | None
    problems: Problems = Problems()


@dataclass(frozen=True)
class Dataset:
    """Three splits with the schema that all systems share.

    Attributes:
        name: the registry's key, or the folder's name.
        title: as tables print it.
        matching: what a span is compared by: `offsets`, or `surface` where gold has none.
        synthetic: made by a program; said wherever a figure of it appears.
        notes: sentences that stand with every figure of this dataset.
        facts_in_train: `(head name, relation, tail name)` of the training facts that Ign F1 leaves
            out, where a file names them (DocRED's `train_annotated.fact`); None: those of train.
    """

    name: str
    title: str
    task: TaskName
    schema: Schema
    train: Split
    dev: Split
    test: Split
    matching: Literal["offsets", "surface"]
    synthetic: bool
    citation: str
    licence: str
    notes: tuple[str, ...] = ()
    facts_in_train: frozenset[SurfaceTriple] | None = field(default=None, repr=False)

    @cached_property
    def wordings_in_train(self) -> frozenset[Wording]:
        """What counts as seen: the items of train in words, of documents what Ign F1 leaves out."""
        if self.facts_in_train is not None:
            return frozenset(tuple(fact) for fact in self.facts_in_train)
        return self.known_in_train.items

    @cached_property
    def known_in_train(self) -> Known:
        """What the training examples know; of documents, not what a file names besides."""
        return find_task(self.task).known(self.train.examples)

    @property
    def splits(self) -> tuple[Split, Split, Split]:
        """Train, dev and test."""
        return self.train, self.dev, self.test
