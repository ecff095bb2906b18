"""Whether the systems of a table had learnt what their training could teach them."""

from __future__ import annotations

from dataclasses import dataclass

from reports.load import AnyRow, Row
from reports.readings import trains_nothing
from suite.tasks.matching import Match
from suite.uncertainty.trend import LEAST_EPOCHS, Trend, Verdict, find_trend


@dataclass(frozen=True)
class Ending:
    """How a row's dev F1 moved at the end of training.

    Attributes:
        trend: over the seeds that completed; None where too few epochs tell of it.
    """

    trend: Trend | None

    @property
    def verdict(self) -> Verdict:
        """The mark of the row."""
        return "not told" if self.trend is None else self.trend.verdict


def ending(row: AnyRow, match: Match) -> Ending | None:
    """How a row ended; None where it was not trained here, or not at all, or no run completed."""
    if not isinstance(row, Row) or not row.complete or trains_nothing(row):
        return None
    curves = [[epoch.dev.under(match).f1 for epoch in run.history] for run in row.complete]
    return Ending(find_trend(curves))


def still_rising(row: AnyRow, match: Match) -> bool:
    """Whether its score would go on rising."""
    found = ending(row, match)
    return found is not None and found.verdict == "still rising"


def why_not_told(found: Ending) -> str:
    """Why it cannot be told whether a row has converged, as a clause."""
    if found.trend is None:
        return f"fewer than {LEAST_EPOCHS} epochs in the last third"
    return "its dev F1 moves too much from epoch to epoch"
