"""What sections on predictions read of runs: values of each seed, and counts summed over seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from reports.cells import ABSENT, Value, mean, run_values
from reports.load import AnyRow, Group, Row
from reports.run_files import OutsideRun, RecordedRun
from suite.evaluation.calibration import Graded, pooled
from suite.evaluation.intervals import Interval
from suite.evaluation.judged import Judged, aligned
from suite.tasks.scores import Scores
from suite.uncertainty.resampling import Counts

AnyRun: TypeAlias = RecordedRun | OutsideRun


def any_values(row: AnyRow, read: Callable[[AnyRun], Value | None]) -> dict[int, Value]:
    """As `run_values`, of the files of a system from outside as well."""
    if isinstance(row, Row):
        return run_values(row, read)
    found = {run.record.seed: read(run) for run in row.runs}
    return {seed: ABSENT if value is None else value for seed, value in found.items()}


def judged_of(row: AnyRow) -> list[Judged]:
    """What the predictions of a row's complete runs come to."""
    return [judged for run in row.complete if (judged := run.judged) is not None]


@dataclass(frozen=True)
class Summed:
    """Counts of a row's runs, summed over its seeds, with a row for each test example.

    Attributes:
        ids: of the examples, in the order of all counts.
        counts: name -> counts.
    """

    ids: tuple[str, ...]
    counts: dict[str, Counts]


def familiar_counts(row: AnyRow) -> Summed | None:
    """Counts by how well train knew items; None where a run does not tell, or none is there."""
    runs = judged_of(row)
    if not runs or len(runs) < len(row.complete):
        return None
    ids = runs[0].ids
    counts: dict[str, Counts] = {}
    for run in runs:
        for name, own in (run.by_familiarity or {}).items():
            same = aligned(run, ids, own)
            if same is None:
                return None
            counts[name] = counts[name] + same if name in counts else same
    return Summed(ids, counts) if all(run.by_familiarity is not None for run in runs) else None


def graded_of_row(row: AnyRow) -> Graded | None:
    """The predictions of all its runs on test; None where there are none, or all have one score."""
    runs = judged_of(row)
    found = pooled([run.graded for run in runs]) if runs else None
    return found if found is not None and found.varies else None


def scores_of(counts: Counts) -> Scores:
    """Counts, summed over examples."""
    correct, predicted, gold = (int(n) for n in counts.sum(0))
    return Scores(correct=correct, predicted=predicted, gold=gold)


def signed(found: dict[int, Value], digits: int = 1) -> str:
    """A cell of differences: mean and standard deviation over seeds, with their sign."""
    average = mean(found)
    if average is None:
        reasons = dict.fromkeys(v for v in found.values() if isinstance(v, str))
        return "; ".join(reasons)
    numbers = [value for value in found.values() if not isinstance(value, str)]
    text = points(average, digits)
    if len(numbers) == 1:
        return text
    return f"{text} ± {np.std(numbers, ddof=1):.{digits}f}"


def points(value: float, digits: int = 1) -> str:
    """A difference with its sign; one that rounds to nothing has none."""
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"


def shown(interval: Interval) -> str:
    """A share in per cent, with its interval."""
    value, low, high = (100 * share for share in interval)
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def shown_points(interval: Interval) -> str:
    """A difference of shares in points, with its interval."""
    value, low, high = (points(100 * share) for share in interval)
    return f"{value} ({low} to {high})"


def compared(group: Group) -> set[str]:
    """Labels of the rows that are ranked with one another: of all but upper bounds."""
    return {row.label for row in group.systems} | {row.label for row in group.outside}
