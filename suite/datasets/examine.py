"""What is odd about a split as a whole: beside itself, and beside train."""

from __future__ import annotations

from collections.abc import Sequence

from suite.datasets.fingerprint import text_hash
from suite.datasets.problems import ProblemLog
from suite.tasks.examples import Example, TaskName
from suite.tasks.registry import find_task


def note_within(examples: Sequence[Example], task: TaskName, problems: ProblemLog) -> None:
    """Counts examples without annotation and texts that repeat within their split."""
    seen: set[str] = set()
    for example in examples:
        if not find_task(task).gold(example):
            problems.add("empty", example.id, _opening(example))
        key = text_hash(example.words)
        if key in seen:
            problems.add("repeated", example.id, _opening(example))
        seen.add(key)


def note_against(
    train: Sequence[Example], examples: Sequence[Example], problems: ProblemLog
) -> None:
    """Counts what dev or test has and train lacks, and texts that train has too.

    Args:
        train: the training examples; of a dev set cut from train, the rest.
        examples: of dev or test.
        problems: the log of dev or test.
    """
    texts = {text_hash(example.words) for example in train}
    relations = {relation for example in train for relation in example.relations()}
    types = {kind for example in train for kind in example.types()}
    for example in examples:
        for relation in example.relations():
            if relation not in relations:
                problems.add("unknown_relation", example.id, repr(relation))
        for kind in example.types():
            if kind not in types:
                problems.add("unknown_type", example.id, repr(kind))
        if text_hash(example.words) in texts:
            problems.add("leaked", example.id, _opening(example))


def _opening(example: Example) -> str:
    words = " ".join(example.words[:12])
    return words if len(example.words) <= 12 else f"{words} …"
