"""What one run is asked to do, `run.json`, and how its parts are brought to life."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict

from runners.runs.environment import resolve_device
from suite.datasets import Dataset, Split, load_dataset
from suite.datasets.splitting import with_part_of_train
from suite.files import read_model
from suite.modelling.parsers import find_parser
from suite.modelling.pretrained import find_pretrained
from suite.modelling.word_vectors import load_vectors, random_vectors
from suite.protocol import Protocol
from suite.records.run import FORMAT, DatasetFacts, SystemFacts
from suite.systems.contract import Resources, System, find_system, make_settings
from suite.tasks.examples import Example, Sentence

WandbMode = Literal["offline", "online", "off"]


class RunPlan(BaseModel):
    """Everything that a run's process needs to know.

    Attributes:
        suite: name of the suite, W&B's group.
        dataset: a name or a folder.
        data_dir: where names are looked up first.
        system, settings: the system and its settings that differ from the defaults.
        variant, title: what these settings are called; None for the system's own.
        device: `cpu`, `cuda`, `cuda:<index>` or `mps`; where the run takes place.
        vectors: file of word vectors; None: random ones.
        train_vectors: whether training changes the vectors of the file.
        pretrained: hub name, folder, `minilm` or `untrained`; None where the system needs none.
        parser: a spaCy pipeline by name or folder, or `chain`; None where the system needs none.
        wandb: mode of the tracker.
        batch_sizes: at which inference is measured.
        train_share: part of the training examples that is trained on.
        test: whether test is scored and timed; without it, dev is timed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str
    dataset: str
    data_dir: Path | None
    system: str
    settings: dict[str, Any]
    variant: str | None = None
    title: str | None = None
    protocol: Protocol
    seed: int
    device: str = "cpu"
    vectors: Path | None
    train_vectors: bool
    pretrained: str | None
    parser: str | None = None
    wandb: WandbMode
    batch_sizes: tuple[int, ...]
    train_share: float = 1.0
    test: bool = True


def read_plan(folder: Path) -> RunPlan:
    """The plan that the suite left in a run's folder.

    Raises:
        SuiteError: it cannot be read, or is of another version.
    """
    return read_model(
        folder / "run.json", RunPlan, "run's plan", remedy="Read it with the version that wrote it."
    )


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


def load_part(name_or_path: str, data_dir: Path | None, train_share: float) -> Dataset:
    """A dataset with the part of its training examples that is trained on."""
    return with_part_of_train(load_dataset(name_or_path, data_dir), train_share)


class Workbench:
    """A plan brought to life: the dataset, the resources, and systems built from them.

    Args:
        plan: of the run.
        dataset, resources: where another run of the same plan has loaded them.
        trees_cached: whether a parser may take trees from disk; not where its time is measured.
    """

    def __init__(
        self,
        plan: RunPlan,
        dataset: Dataset | None = None,
        resources: Resources | None = None,
        *,
        trees_cached: bool = True,
    ) -> None:
        self.plan = plan
        self.trees_cached = trees_cached
        self.protocol = plan.protocol
        self.dataset = dataset or load_part(plan.dataset, plan.data_dir, plan.train_share)
        self.system: type[System] = find_system(plan.system)
        self.settings = make_settings(self.system, plan.settings)
        if resources is not None:
            self.resources = resources

    def examples(self, split: Split) -> list[Example]:
        """The split as the system sees it: sentences cut, documents whole."""
        limit = self.protocol.max_words
        return [e.cut(limit) if isinstance(e, Sentence) else e for e in split.examples]

    @cached_property
    def resources(self) -> Resources:
        """Those that the system's settings ask for."""
        needed = self.system.resources_needed(self.settings)
        train = [example.words for example in self.examples(self.dataset.train)]
        if self.plan.vectors is not None and "vectors" in needed:
            others = [
                s.words
                for split in (self.dataset.dev, self.dataset.test)
                for s in self.examples(split)
            ]
            vectors = load_vectors(self.plan.vectors, train, others, self.plan.train_vectors)
        else:
            vectors = random_vectors(train)
        pretrained = None
        if "pretrained" in needed and self.plan.pretrained is not None:
            pretrained = find_pretrained(self.plan.pretrained, train)
        parser = None
        if "parser" in needed and self.plan.parser is not None:
            parser = find_parser(self.plan.parser, cached=self.trees_cached)
        return Resources(vectors, pretrained, self.protocol.max_words, parser)

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

    def system_facts(self) -> SystemFacts:
        """What the record says of the system."""
        needed = self.system.resources_needed(self.settings)
        resources = self.resources
        return SystemFacts(
            name=self.system.name,
            variant=self.plan.variant,
            title=self.plan.title or self.system.title,
            citation=self.system.citation,
            departures=self.system.departures,
            settings=asdict(self.settings),
            vectors=resources.vectors.source if "vectors" in needed else None,
            vector_coverage=resources.vectors.coverage if "vectors" in needed else None,
            pretrained=resources.pretrained.source if resources.pretrained else None,
            parser=resources.parser.source if resources.parser else None,
            upper_bound=self.system.upper_bound,
        )


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
