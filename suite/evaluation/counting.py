"""Counts of the lines of `predictions.jsonl`: under a convention, and by what train knew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from suite.tasks.conventions import Convention
from suite.tasks.scores import AnsweredExample
from suite.tasks.shown import ShownItem, read_shown
from suite.uncertainty.resampling import Counts


def read_rows(rows: Iterable[Sequence[Any]]) -> list[ShownItem]:
    """The items of a line's `gold` or `repeats`."""
    return [read_shown(row) for row in rows]


def read_predicted(line: AnsweredExample) -> list[ShownItem]:
    """The predicted items of a line, without their scores."""
    return [read_shown(row[:-1]) for row in line.predicted]


def count(line: AnsweredExample, convention: Convention) -> tuple[int, int, int]:
    """Correct, predicted and gold of an example under a convention.

    What counts as the same counts once, but for gold that counts each time. A prediction is right
    once, however often its gold counts.
    """
    gold = read_rows(line.gold)
    if not convention.keeps_example(gold):
        return 0, 0, 0
    expected = {convention.key(item) for item in gold if convention.keeps(item)}
    found = {convention.key(i) for i in read_predicted(line) if convention.keeps_predicted(i)}
    again = len(line.repeats) if convention.repeats else 0
    return len(expected & found), len(found), len(expected) + again


def by_familiarity(
    line: AnsweredExample, convention: Convention
) -> Mapping[str, tuple[int, int, int]]:
    """Correct, predicted and gold of an example for each of what train knew of items.

    A prediction that is right is where its gold is, whatever its own words are; of gold that counts
    as the same, where the first is.
    """
    gold: dict[Hashable, str] = {}
    for item, known in zip(read_rows(line.gold), line.known_gold, strict=True):
        gold.setdefault(convention.key(item), known)
    found: dict[Hashable, str] = {}
    for item, known in zip(read_predicted(line), line.known_predicted, strict=True):
        key = convention.key(item)
        found.setdefault(key, gold.get(key, known))
    correct = Counter(known for key, known in found.items() if key in gold)
    predicted, expected = Counter(found.values()), Counter(gold.values())
    return {
        known: (correct[known], predicted[known], expected[known])
        for known in predicted.keys() | expected.keys()
    }


def graded(line: AnsweredExample, convention: Convention) -> list[tuple[float, bool]]:
    """The score of each prediction of an example, and whether it is right.

    Of predictions that count as the same, the first one stands.
    """
    gold = {convention.key(item) for item in read_rows(line.gold)}
    scores: dict[Hashable, float] = {}
    for item, row in zip(read_predicted(line), line.predicted, strict=True):
        scores.setdefault(convention.key(item), float(row[-1]))
    return [(score, key in gold) for key, score in scores.items()]


def table(rows: Iterable[tuple[int, int, int]]) -> Counts:
    """Counts, a row per example."""
    return np.array(list(rows), dtype=np.int64).reshape(-1, 3)
