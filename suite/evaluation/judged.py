"""All that this package reads of one run's predictions, in one pass over its lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from suite.evaluation.calibration import Graded, graded_of
from suite.evaluation.counting import by_familiarity, count, graded, table
from suite.tasks.conventions import Convention
from suite.tasks.matching import Match, Matching
from suite.tasks.scores import AnsweredExample
from suite.tasks.task import Task
from suite.uncertainty.resampling import Counts


@dataclass(frozen=True)
class Judged:
    """What the predictions of a run come to.

    Attributes:
        ids: of the examples; all counts have a row for each.
        by_convention: name of a convention -> counts; only of those that count.
        by_familiarity: how well train knew items -> counts; None where the lines do not tell.
        graded: every prediction's score, and whether it is right.
    """

    ids: tuple[str, ...]
    by_convention: Mapping[str, Counts]
    by_familiarity: Mapping[str, Counts] | None
    graded: Graded


def counting(conventions: Iterable[Convention]) -> list[Convention]:
    """Those of the conventions that lines can be counted by."""
    return [c for c in conventions if not c.missing and c.measure is None]


def judge(
    lines: Iterable[AnsweredExample],
    task: Task[Any, Any],
    matching: Matching,
    match: Match,
) -> Judged:
    """Counts the lines of a run.

    Args:
        lines: of its predictions.
        task: the dataset's.
        matching: what a span is compared by.
        match: the protocol's rule.

    Raises:
        ValueError: a line holds what no task writes.
    """
    conventions = task.conventions(task.selection_match(match), matching)
    ours, counted = conventions[0], counting(conventions)
    ids: list[str] = []
    scores: list[list[tuple[float, bool]]] = []
    rows: defaultdict[str, list[tuple[int, int, int]]] = defaultdict(list)
    known: dict[str, list[tuple[int, int, int]]] = {name: [] for name in task.familiarities}
    told = True
    for line in lines:
        ids.append(line.id)
        for convention in counted:
            rows[convention.name].append(count(line, convention))
        told = told and tells_familiarity(line)
        if told:
            found = by_familiarity(line, ours)
            for name, counts in known.items():
                counts.append(found.get(name, (0, 0, 0)))
        scores.append(graded(line, ours))
    return Judged(
        tuple(ids),
        {convention.name: table(rows[convention.name]) for convention in counted},
        {name: table(counts) for name, counts in known.items()} if told and ids else None,
        graded_of(scores),
    )


def tells_familiarity(line: AnsweredExample) -> bool:
    """Whether a line says of each of its items how well train knew it."""
    return len(line.known_gold) == len(line.gold) and len(line.known_predicted) == len(
        line.predicted
    )


def aligned(judged: Judged, ids: tuple[str, ...], counts: Counts) -> Counts | None:
    """Counts in another order of the examples; None where they are not the same examples."""
    if judged.ids == ids:
        return counts
    place = {name: row for row, name in enumerate(judged.ids)}
    if place.keys() != set(ids):
        return None
    found: Counts = counts[np.array([place[name] for name in ids])]
    return found
