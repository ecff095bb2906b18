"""What predictions are held against: the test examples of a dataset, or what a run kept of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from suite.datasets.dataset import Dataset
from suite.files import read_lines
from suite.tasks.examples import Example, TaskName
from suite.tasks.familiarity import Known
from suite.tasks.items import label_of
from suite.tasks.matching import Matching, Wording
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample


@dataclass(frozen=True)
class Gold:
    """The test examples with all that scoring needs.

    Attributes:
        name: of the dataset.
        task, matching: the dataset's.
        examples: uncut, in their order.
        labels: relations or entity types that the dataset knows.
        in_train: what counts as seen; None where train is not here, so that no slice tells it.
        source: what it was taken from, in words.
        known: what train knew of items; None where train is not here.
    """

    name: str
    task: TaskName
    matching: Matching
    examples: tuple[Example, ...]
    labels: frozenset[str]
    in_train: frozenset[Wording] | None
    source: str
    known: Known | None = None

    @property
    def labelled(self) -> bool:
        """Whether there is anything to be found."""
        return any(find_task(self.task).gold(example) for example in self.examples)


def gold_of(dataset: Dataset) -> Gold:
    """The test set of a dataset."""
    task = find_task(dataset.task)
    known = dataset.schema.relations if task.has_relations else dataset.schema.entity_types
    return Gold(
        dataset.name,
        dataset.task,
        dataset.matching,
        dataset.test.examples,
        frozenset(known) | _labels(dataset.task, dataset.test.examples),
        dataset.wordings_in_train,
        "the dataset's files",
        dataset.known_in_train,
    )


def gold_of_run(name: str, task: TaskName, matching: Matching, predictions: Path) -> Gold | None:
    """The test set as the `predictions.jsonl` of a run holds it; None where that is not enough.

    Args:
        name: of the dataset.
        task: likewise.
        matching: likewise.
        predictions: of a complete run.

    Raises:
        SuiteError: the file cannot be read, or is not what a run writes.
    """
    found = []
    for line in read_lines(predictions, AnsweredExample, "an answered example"):
        example = _example(task, line)
        if example is None:
            return None
        found.append(example)
    source = "the predictions.jsonl of a run, as the dataset's files are not here"
    labels = _labels(task, found)
    return Gold(name, task, matching, tuple(found), labels, None, source)


def _example(task: TaskName, line: AnsweredExample) -> Example | None:
    """The example of a line, if its gold is then shown as it is there."""
    judging = find_task(task)
    try:
        example: Example | None = judging.example_of(line)
    except (ValueError, TypeError):
        return None
    if example is None or [judging.shown(example, i) for i in judging.gold(example)] != line.gold:
        return None
    return example


def _labels(task: TaskName, examples: Iterable[Example]) -> frozenset[str]:
    judging = find_task(task)
    return frozenset(label_of(item) for example in examples for item in judging.gold(example))
