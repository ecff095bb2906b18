"""What of which dataset each system is timed on, and a trainer for it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch

from runners.runs.train import Trainer
from suite.datasets import Dataset, load_dataset
from tests.real import Resources, trainer_of


class Case(NamedTuple):
    """What of a dataset a system is measured on.

    Attributes:
        dataset: its name.
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
        resources: what systems are built from.
        folder: for what trainers leave.
    """

    def __init__(self, resources: Resources, folder: Path) -> None:
        self.resources, self.folder = resources, folder
        self.datasets: dict[str, Dataset] = {}
        self.made: dict[str, Trainer] = {}

    def __getitem__(self, name: str) -> Trainer:
        if name not in self.made:
            self.made[name] = self._make(name)
        return self.made[name]

    def _make(self, name: str) -> Trainer:
        case = CASES[name]
        if case.dataset not in self.datasets:
            self.datasets[case.dataset] = load_dataset(case.dataset, self.resources.data)
        whole = self.datasets[case.dataset]
        folder = self.folder / name
        folder.mkdir()
        dev = whole.dev.examples[:DEV]
        return trainer_of(name, whole, self.resources, folder, train=case.trained, dev=dev)


def step(trainer: Trainer) -> None:
    """A step of training on the first examples."""
    rows = torch.arange(trainer.batch_size)
    trainer.system.train().loss(trainer.train.encoded.select(rows)).total.backward()
    trainer.optimiser.step()
