"""Trainers of every system on some of a real dataset, as a run has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from runners.runs.plan import RunPlan
from runners.runs.train import Trainer
from runners.runs.workbench import Shelf, Workbench
from suite.datasets import Dataset
from suite.protocol import Protocol
from suite.tasks.examples import Example


class Resources(NamedTuple):
    """What systems are built from.

    Attributes:
        data: folder of datasets by name.
        vectors, parser: of words and of trees.
        pretrained: the encoder, by name or folder.
    """

    data: Path
    vectors: Path
    parser: Path
    pretrained: str = "minilm"


def trainer_of(
    system: str,
    whole: Dataset,
    resources: Resources,
    folder: Path,
    *,
    train: int,
    dev: Sequence[Example],
) -> Trainer:
    """A trainer of a system on some of a dataset.

    Args:
        system: its name.
        whole: the dataset, whose schema it has.
        resources: what it is built from.
        folder: for what the trainer leaves.
        train: of the training examples, how many it has.
        dev: in place of the dataset's.
    """
    plan = RunPlan(
        suite="part", dataset=whole.name, data_dir=resources.data, system=system, settings={},
        protocol=Protocol(threads=torch.get_num_threads()), seed=0, vectors=resources.vectors,
        train_vectors=False, pretrained=resources.pretrained, parser=str(resources.parser),
        tracker="none", batch_sizes=(1,),
    )  # fmt: skip
    part = replace(
        whole,
        train=replace(whole.train, examples=whole.train.examples[:train]),
        dev=replace(whole.dev, examples=dev),
    )
    return Trainer(Workbench(plan, part, shelf=Shelf(trees_cached=False)), folder, "part")
