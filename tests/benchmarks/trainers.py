"""Trainers of every system on some of a real dataset, as a run has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from runners.runs.plan import RunPlan
from runners.runs.train import Trainer
from runners.runs.workbench import Shelf, Workbench
from suite.datasets import Dataset, load_dataset
from suite.protocol import Protocol


class Case(NamedTuple):
    """What of a dataset a system is measured on.

    Attributes:
        trained: training examples of an epoch.
        tested: test examples.
        sizes: batch sizes of inference.
        epochs: of training before inference, of which the quickest counts: a system that tags
            many heads at first spends its time on candidates that a trained one has not.
    """

    dataset: str
    trained: int
    tested: int
    sizes: tuple[int, ...] = (32,)
    epochs: int = 1


CASES = {
    "fastre": Case("nyt10", 512, 512, (1, 32, 128), epochs=4),
    "casrel": Case("nyt10", 128, 128, (1, 32, 128)),
    "pmei": Case("nyt10", 512, 512),
    "tplinker": Case("nyt10", 128, 128),
    "relu_net": Case("nyt10", 128, 128),
    "prgc": Case("nyt10", 128, 128),
    "spn": Case("nyt10", 128, 128),
    "grte": Case("nyt10", 128, 128),
    "bert_docred": Case("nyt10", 128, 128),
    "fastner": Case("conll03", 256, 256),
}
DEV = 8
"""Examples of dev, on which nobody is scored."""


class Trainers:
    """A trainer of each system, made when it is first asked for.

    Args:
        data: folder of datasets by name.
        vectors, parser: that systems need.
        folder: for what trainers leave.
        pretrained: the encoder, by name or folder.
    """

    def __init__(
        self, data: Path, vectors: Path, parser: Path, folder: Path, pretrained: str = "minilm"
    ) -> None:
        self.data, self.vectors, self.parser, self.folder = data, vectors, parser, folder
        self.pretrained = pretrained
        self.datasets: dict[str, Dataset] = {}
        self.made: dict[str, Trainer] = {}

    def __getitem__(self, name: str) -> Trainer:
        if name not in self.made:
            self.made[name] = self._make(name)
        return self.made[name]

    def _make(self, name: str) -> Trainer:
        case = CASES[name]
        if case.dataset not in self.datasets:
            self.datasets[case.dataset] = load_dataset(case.dataset, self.data)
        whole = self.datasets[case.dataset]
        few = replace(whole.train, examples=whole.train.examples[: case.trained])
        dev = replace(whole.dev, examples=whole.dev.examples[:DEV])
        plan = RunPlan(
            suite="benchmark", dataset=case.dataset, data_dir=self.data, system=name, settings={},
            protocol=Protocol(threads=torch.get_num_threads()), seed=0, vectors=self.vectors,
            train_vectors=False, pretrained=self.pretrained, parser=str(self.parser),
            tracker="none", batch_sizes=(1,),
        )  # fmt: skip
        folder = self.folder / name
        folder.mkdir()
        bench = Workbench(plan, replace(whole, train=few, dev=dev), shelf=Shelf(trees_cached=False))
        return Trainer(bench, folder, "benchmark")


def step(trainer: Trainer) -> None:
    """A step of training on the first examples."""
    rows = torch.arange(trainer.batch_size)
    trainer.system.train().loss(trainer.train.encoded.select(rows)).total.backward()
    trainer.optimiser.step()
