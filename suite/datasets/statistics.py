"""What is counted of a dataset before anything is trained on it."""

from __future__ import annotations

from typing import Any

from pydantic import SerializeAsAny

from suite.datasets.dataset import Dataset, Split
from suite.datasets.problems import KINDS
from suite.files import StrictModel
from suite.tasks.matching import Wording
from suite.tasks.registry import find_task
from suite.tasks.task import ExampleCounts, Task


class DatasetCounts(StrictModel):
    """The counts of the three splits; those of train are without a dev set cut from it."""

    train: SerializeAsAny[ExampleCounts]
    dev: SerializeAsAny[ExampleCounts]
    test: SerializeAsAny[ExampleCounts]


def statistics(dataset: Dataset, max_words: int) -> DatasetCounts:
    """Counts what a dataset holds.

    What train has too is told as the `seen` slice of the scores tells it: a triple by its words,
    an entity by words and type, and a fact, as Ign F1 does, by any of its mentions' words.

    Args:
        dataset: of any task.
        max_words: the protocol's cut.
    """
    task, known = find_task(dataset.task), dataset.wordings_in_train
    counts = {
        split.name: task.count(split.examples, max_words, _common(split, task, known))
        for split in dataset.splits
    }
    return DatasetCounts(**counts)


def _common(split: Split, task: Task[Any, Any], known: frozenset[Wording]) -> dict[str, Any]:
    """The counts of every task."""
    lengths = [len(example.words) for example in split.examples]
    judged = () if split.name == "train" else split.examples
    seen = [task.is_seen(example, item, known) for example in judged for item in task.gold(example)]
    problems = {kind: getattr(split.problems, kind) for kind in KINDS}
    return {
        "examples": len(lengths),
        "words_mean": sum(lengths) / len(lengths),
        "words_max": max(lengths),
        "seen_share": sum(seen) / len(seen) if seen else None,
        "problems": {kind: count for kind, count in problems.items() if count},
    }
