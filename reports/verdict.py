"""What a suite found, in a few lines: systems by F1, and which of them cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from reports.cells import cell, mean, values
from reports.load import AnyRow, Group, Row, load_results
from reports.readings import NOT_LABELLED, f1_of, labelled
from reports.sections.analysis import compare
from reports.sections.overview import listed
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
    ranked = [row for row in rows if not place(row)[0] and score(row) is not None]
    return Verdict(
        group.title,
        f"{split} F1{group.rule} (%)",
        [_standing(group, row, cell(values(row, read), 1)) for row in rows],
        _sentence(group, ranked) if split == "test" else f"The test set is {NOT_LABELLED}.",
    )


def _standing(group: Group, row: AnyRow, f1: str) -> Standing:
    if not isinstance(row, Row):
        return Standing(row.label, row.n, f1, "-", "-")
    training = time_cell(row, training_time("seconds_to_best"))
    sizes = group.batch_sizes
    each = time_cell(row, latency(sizes[0])) if sizes else "-"
    return Standing(row.label, row.n, f1, training, each)


def _sentence(group: Group, ranked: Sequence[AnyRow]) -> str:
    """Who is best; it and each other are compared as in the report's section on significance."""
    if not ranked:
        return "No system has a score of every seed."
    best, *others = ranked
    if not others:
        return f"Only {best.label} has a score of every seed: nothing to compare."
    alike, unknown = [], []
    for other in others:
        results, _ = compare([best, other], group.match)
        if not results:
            unknown.append(other.label)
        elif results[0].difference.low <= 0:
            alike.append(other.label)
    told = len(others) - len(alike) - len(unknown)
    parts = [f"Best: {best.label}"]
    if alike:
        parts.append(f"not told from it by a 95 % interval: {listed(alike)}")
    if unknown:
        parts.append(f"not compared with it: {listed(unknown)}")
    if told:
        parts.append(f"below it by more than chance: {told} of {len(others)}")
    return f"{'; '.join(parts)}."
