"""What each system's targets give back on real test sets, when all of them are scored perfectly.

`python -m tests.baselines.ceilings DATA VECTORS PARSER` prints F1 in per cent under partial and
exact match, a line for each dataset and system. Nothing is trained. A run's report has the same of
its own data.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from suite.datasets import load_dataset
from suite.systems.registry import learning
from tests.real import Resources, trainer_of

DATASETS = ("webnlg", "webnlg-star", "nyt10", "conll04", "nyt24")
FEW = 32
"""Training sentences that are encoded, of which none is trained on."""


def main() -> None:
    """Prints the table."""
    resources = Resources(*map(Path, sys.argv[1:4]))
    for dataset in (load_dataset(name, resources.data) for name in DATASETS):
        for system in learning("triples"):
            with tempfile.TemporaryDirectory() as folder:
                test = dataset.test.examples
                trainer = trainer_of(system, dataset, resources, Path(folder), train=FEW, dev=test)
                found = trainer.evaluator.ceiling(trainer.dev)
            partial, exact = 100 * found.partial.f1, 100 * found.exact.f1
            print(f"{dataset.name:12} {system:12} {partial:6.2f} {exact:6.2f}", flush=True)


if __name__ == "__main__":
    main()
