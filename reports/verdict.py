"""What a suite found, in a few lines: systems by F1, and which of them cannot be told apart."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

from reports.cells import cell, mean, values
from reports.differences import find_differences
from reports.load import AnyRow, Group, Row, load_results
from reports.readings import f1_of, labelled
from reports.sections.differences import finding
from reports.times import latency, time_cell, training_time
from suite.tasks.metric import ScoredSplit


class Standing(NamedTuple):
    """A system's line, as cells.

    Attributes:
        seconds: training and dev evaluation to the chosen epoch.
        milliseconds: per example, at the smallest batch that was measured.
    """

    system: str
    seeds: str
    f1: str
    seconds: str
    milliseconds: str


class Verdict(NamedTuple):
    """What was found on one dataset.

    Attributes:
        title: of the dataset.
        f1: what the column of F1 is called.
        standings: best first; upper bounds, and what has no score, last.
        sentence: who is best, and who cannot be told from it.
    """

    title: str
    f1: str
    standings: list[Standing]
    sentence: str


def verdicts(out: Path) -> list[Verdict]:
    """One for each table of the report of an output folder, in its order.

    Raises:
        SuiteError: there are no records, or one of them is broken.
    """
    return [_of(group) for group in load_results(out).groups]


def _of(group: Group) -> Verdict:
    split: ScoredSplit = "test" if labelled(group) else "dev"
    read = partial(f1_of, match=group.match, split=split)

    def score(row: AnyRow) -> float | None:
        return mean(values(row, read))

    def place(row: AnyRow) -> tuple[bool, bool, float]:
        found = score(row)
        bound = isinstance(row, Row) and row.upper_bound is not None
        return bound, found is None, -(found or 0.0)

    rows = sorted(group.scored, key=place)
    return Verdict(
        group.title,
        f"{split} F1{group.rule} (%)",
        [_standing(group, row, cell(values(row, read), 1)) for row in rows],
        finding(group, find_differences(group)),
    )


def _standing(group: Group, row: AnyRow, f1: str) -> Standing:
    if not isinstance(row, Row):
        return Standing(row.label, row.n, f1, "-", "-")
    training = time_cell(row, training_time("seconds_to_best"))
    sizes = group.batch_sizes
    each = time_cell(row, latency(sizes[0])) if sizes else "-"
    return Standing(row.label, row.n, f1, training, each)
