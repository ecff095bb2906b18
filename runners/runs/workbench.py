"""How a run's plan is brought to life: its dataset, its resources, its system."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from runners.runs.plan import RunPlan
from suite.artifact import Parts
from suite.datasets import Dataset, Split, load_dataset
from suite.datasets.splitting import with_part_of_train
from suite.modelling.device import resolve_device
from suite.modelling.encoder_kind import EncoderKind
from suite.modelling.parsers import DependencyParser, find_parser
from suite.modelling.pretrained import PretrainedModel, find_pretrained
from suite.modelling.word_vectors import (
    RANDOM,
    VectorsFile,
    Vocabulary,
    WordVectors,
    random_vectors,
    vocabulary_of,
)
from suite.records.run import FORMAT, DatasetFacts, Resource, SystemFacts
from suite.systems.contract import Resources, System
from suite.systems.registry import find_system, make_settings
from suite.tasks.examples import Example
from suite.tasks.schema import end_types


def dataset_facts(dataset: Dataset) -> DatasetFacts:
    """What records say of a dataset."""
    return DatasetFacts(
        name=dataset.name,
        title=dataset.title,
        task=dataset.task,
        fingerprints={s.name: s.fingerprint for s in dataset.splits},
        published={s.name: s.published for s in dataset.splits},
        matching=dataset.matching,
        synthetic=dataset.synthetic,
        notes=dataset.notes,
    )


def load_part(
    name_or_path: str, data_dir: Path | None, train_share: float, words: str | None = None
) -> Dataset:
    """A dataset with the part of its training examples that is trained on."""
    return with_part_of_train(load_dataset(name_or_path, data_dir, words), train_share)


class Shelf:
    """Word vectors, encoders and parsers that a command has loaded, for all of its runs.

    Args:
        trees_cached: whether a parser may take trees from disk; not where its time is measured.
        fetch: whether the hub is asked for encoders that are not here; not where nothing is run.
    """

    def __init__(self, *, trees_cached: bool = True, fetch: bool = True) -> None:
        self.trees_cached = trees_cached
        self.fetch = fetch
        self._vectors: dict[tuple[object, ...], WordVectors] = {}
        self._pretrained: dict[tuple[str, str, int], PretrainedModel] = {}
        self._parsers: dict[str, DependencyParser] = {}

    def vectors(
        self, file: VectorsFile | None, dataset: Dataset, max_words: int, trained: bool
    ) -> WordVectors:
        """Those of a file for the words of a dataset; without a file, those of train at random."""
        words = tuple(split.fingerprint for split in dataset.splits)
        key = file and file.path, words, max_words, trained
        if key not in self._vectors:
            if file is None:
                train = (example.words for example in cut(dataset.train, max_words))
                self._vectors[key] = random_vectors(train)
            else:
                self._vectors[key] = file.load(vocabulary(dataset, max_words), trained)
        return self._vectors[key]

    def pretrained(self, name: str, train: Split, max_words: int) -> PretrainedModel:
        """An encoder; the untrained one's tokenizer is made from the training sentences."""
        key = name, train.fingerprint, max_words
        if key not in self._pretrained:
            words = (example.words for example in cut(train, max_words))
            self._pretrained[key] = find_pretrained(name, words, fetch=self.fetch)
        return self._pretrained[key]

    def parser(self, name: str) -> DependencyParser:
        """A dependency parser."""
        if name not in self._parsers:
            self._parsers[name] = find_parser(name, cached=self.trees_cached)
        return self._parsers[name]


def cut(split: Split, max_words: int) -> list[Example]:
    """The examples of a split as a system sees them: sentences cut, documents whole."""
    return [example.cut(max_words) for example in split.examples]


def vocabulary(dataset: Dataset, max_words: int) -> Vocabulary:
    """The words of a dataset that systems see."""
    train, *others = (
        [example.words for example in cut(split, max_words)] for split in dataset.splits
    )
    return vocabulary_of(train, (words for split in others for words in split))


class Workbench:
    """A plan brought to life: the dataset, the resources, and systems built from them.

    Args:
        plan: of the run.
        dataset: where another run of the same plan has loaded it.
        shelf: what other runs of the command have loaded.
    """

    def __init__(
        self, plan: RunPlan, dataset: Dataset | None = None, shelf: Shelf | None = None
    ) -> None:
        self.plan = plan
        self.protocol = plan.protocol
        self.shelf = shelf or Shelf()
        self.dataset = dataset or load_part(
            plan.dataset, plan.data_dir, plan.train_share, plan.words
        )
        self.system: type[System] = find_system(plan.system)
        self.settings = make_settings(self.system, plan.settings)
        self.needed = self.system.resources_needed(self.settings)

    def examples(self, split: Split) -> list[Example]:
        """The split as the system sees it."""
        return cut(split, self.protocol.max_words)

    @cached_property
    def resources(self) -> Resources:
        """Those that the system's settings ask for."""
        return Resources(self._vectors, self._pretrained, self.protocol.max_words, self._parser)

    @property
    def _vectors(self) -> WordVectors:
        limit, trained = self.protocol.max_words, self.plan.train_vectors
        return self.shelf.vectors(self._vectors_file, self.dataset, limit, trained)

    @property
    def _vectors_file(self) -> VectorsFile | None:
        named = self.plan.vectors is not None and "vectors" in self.needed
        return VectorsFile(self.plan.vectors) if named and self.plan.vectors else None

    @property
    def _pretrained(self) -> PretrainedModel | None:
        if self.plan.pretrained is None or "pretrained" not in self.needed:
            return None
        train, limit = self.dataset.train, self.protocol.max_words
        return self.shelf.pretrained(self.plan.pretrained, train, limit)

    @property
    def _parser(self) -> DependencyParser | None:
        if self.plan.parser is None or "parser" not in self.needed:
            return None
        return self.shelf.parser(self.plan.parser)

    def check(self) -> None:
        """Reads the encoder's tokenizer, so that a damaged one is named before a run begins.

        Raises:
            SuiteError: there is none, or none that this suite can use.
        """
        if self._pretrained is not None:
            self._pretrained.read()

    def load(self) -> None:
        """Loads what a run needs, for all processes that are forked from this one."""
        self.resources  # noqa: B018 - cached

    @cached_property
    def device(self) -> torch.device:
        """Where the run takes place.

        Raises:
            SuiteError: this machine has no such device.
        """
        return resolve_device(self.plan.device)

    def build(self) -> System:
        """A fresh system, drawn from the run's seed."""
        torch.manual_seed(self.plan.seed)
        return self.system.build(self.settings, self.dataset.schema, self.resources)

    def parts(self, system: System, facts: Mapping[str, Any]) -> Parts:
        """What the model of a trained system is written from.

        Args:
            system: with the selected weights.
            facts: fields of `ModelFacts` that a run's record has.
        """
        file = self._vectors_file
        others = file is not None and self.plan.keep_vectors == "first"
        return Parts(
            system,
            self.dataset.schema,
            self.resources,
            "vectors" in self.needed,
            {
                **facts,
                "protocol": self.protocol,
                "seed": self.plan.seed,
                "licence": self.dataset.licence,
                "types": end_types(self.dataset.train.examples),
                "words": self.plan.words,
            },
            others=file.open_vocabulary() if others and file is not None else None,
        )

    def system_facts(self) -> SystemFacts:
        """What the record says of the system before its run; no word vectors are read for it."""
        pretrained, parser = self._pretrained, self._parser
        return SystemFacts(
            name=self.system.name,
            variant=self.plan.variant,
            title=self.plan.title or self.system.title,
            citation=self.system.citation,
            departures=self.system.departures,
            settings=asdict(self.settings),
            vectors=self._vectors_source(),
            vector_coverage=None,
            pretrained=pretrained.source if pretrained else None,
            parser=parser.source if parser else None,
            encoder_kind=self._encoder_kind(),
            encoder_family=pretrained.family if pretrained else None,
            fresh_weights=pretrained is not None and "fresh weights" in self.needed,
            stand_ins=self._stand_ins(),
            upper_bound=self.system.upper_bound,
        )

    def _encoder_kind(self) -> EncoderKind:
        if self._pretrained is None:
            return "word vectors"
        learnt = self._pretrained.pretrained and "fresh weights" not in self.needed
        return "pretrained transformer" if learnt else "untrained transformer"

    def _stand_ins(self) -> tuple[Resource, ...]:
        """What is not what the papers used."""
        vectors, pretrained, parser = self._vectors_file, self._pretrained, self._parser
        kept: dict[Resource, bool] = {
            "vectors": "vectors" not in self.needed or (vectors and vectors.as_published) is True,
            "pretrained": pretrained is None or pretrained.as_published,
            "parser": parser is None or parser.as_published,
        }
        return tuple(resource for resource, published in kept.items() if not published)

    def _vectors_source(self) -> str | None:
        """The word vectors as reports print them; None where none are used, or not read yet."""
        if "vectors" not in self.needed:
            return None
        return RANDOM if self._vectors_file is None else self._vectors_file.source

    def facts_of_a_run(self) -> SystemFacts:
        """As `system_facts`, with the source and the coverage of the vectors that were loaded."""
        facts = self.system_facts()
        if "vectors" not in self.needed:
            return facts
        loaded = self._vectors
        changes = {"vectors": loaded.source, "vector_coverage": loaded.coverage}
        return facts.model_copy(update=changes)


def configuration(
    plan: RunPlan, fingerprints: Mapping[str, str], versions: Sequence[str], system: SystemFacts
) -> str:
    """Sixteen digits over all that decides a run's scores; an equal run is not run again.

    Args:
        plan: of the run; its tracker and its measurements have no part in the scores.
        fingerprints: of the dataset's splits.
        versions: of the libraries that compute.
        system: its settings, defaults included, and the content of vectors and encoder.
    """
    content = {
        "format": FORMAT,
        "fingerprints": dict(fingerprints),
        "versions": list(versions),
        "system": system.name,
        "settings": system.settings,
        "protocol": plan.protocol.model_dump(mode="json"),
        "seed": plan.seed,
        "vectors": system.vectors,
        "train_vectors": plan.train_vectors,
        "pretrained": system.pretrained,
        "parser": system.parser,
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
