"""What each system's targets give back on real test sets, when all of them are scored perfectly.

`python -m tests.baselines.ceilings DATA VECTORS PARSER` prints F1 under partial and exact match, a
line for each system and dataset. Nothing is trained. A run's report has the same of its own data.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from runners.runs.plan import RunPlan
from runners.runs.train import Trainer
from runners.runs.workbench import Shelf, Workbench
from suite.datasets import Dataset, load_dataset
from suite.protocol import Protocol
from suite.systems.capabilities import Memorises
from suite.systems.registry import find_system, system_names
from suite.tasks.scores import Evaluation

DATASETS = ("webnlg", "webnlg-star", "nyt10", "conll04", "nyt24")
FEW = 32
"""Training sentences that are encoded, of which none is trained on."""


def ceiling(
    system: str, dataset: Dataset, data: Path, vectors: Path, parser: Path, folder: Path
) -> Evaluation:
    """The ceiling of a system on a dataset's test set."""
    plan = RunPlan(
        suite="ceilings", dataset=dataset.name, data_dir=data, system=system, settings={},
        protocol=Protocol(), seed=0, vectors=vectors, train_vectors=False, pretrained="minilm",
        parser=str(parser), tracker="none", batch_sizes=(1,),
    )  # fmt: skip
    few = replace(dataset.train, examples=dataset.train.examples[:FEW])
    tested = replace(dataset.dev, examples=dataset.test.examples)
    bench = Workbench(plan, replace(dataset, train=few, dev=tested), shelf=Shelf())
    trainer = Trainer(bench, folder, "ceilings")
    return trainer.evaluator.ceiling(trainer.dev)


def main() -> None:
    """Prints the table."""
    data, vectors, parser = map(Path, sys.argv[1:])
    systems = [
        name
        for name in system_names()
        if "triples" in (found := find_system(name)).tasks
        and found.upper_bound is None
        and not issubclass(found, Memorises)
    ]
    for dataset in (load_dataset(name, data) for name in DATASETS):
        for system in systems:
            with tempfile.TemporaryDirectory() as folder:
                found = ceiling(system, dataset, data, vectors, parser, Path(folder))
            partial, exact = 100 * found.partial.f1, 100 * found.exact.f1
            print(f"{dataset.name:12} {system:12} {partial:6.2f} {exact:6.2f}", flush=True)


if __name__ == "__main__":
    main()
