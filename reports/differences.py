"""Systems against one another: intervals, differences, who is best, and what would settle a tie.

Computes alone; `reports.sections.differences` writes it down.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from reports.converged import still_rising
from reports.load import AnyRow, Group, Row
from reports.readings import labelled
from reports.sections.overview import listed, plural
from suite.tasks.matching import Match
from suite.uncertainty.best import probability_best
from suite.uncertainty.bootstrap import LEVEL, Estimate, difference, mean_f1
from suite.uncertainty.resampling import Resampled, resample
from suite.uncertainty.textbook import holm


class Compared(NamedTuple):
    """Two rows, the seeds that were compared, and how far the first is above the second."""

    first: AnyRow
    second: AnyRow
    seeds: str
    difference: Estimate

    def other(self, row: AnyRow) -> AnyRow:
        """The one of the two that the given one is not."""
        return self.second if self.first.label == row.label else self.first


class Standing(NamedTuple):
    """A row's F1 and how probable it is that none is better.

    `best` is None where the row's seeds tell nothing of it: it has one, or answered other examples.
    """

    row: AnyRow
    f1: Estimate
    best: float | None


@dataclass(frozen=True)
class Answered:
    """Runs that answered the same test examples.

    Attributes:
        sample: their F1, and what it is on drawn test sets.
        places: row's label and seed -> place in the sample.
    """

    sample: Resampled
    places: Mapping[tuple[str, int], int]

    def seeds(self, row: AnyRow) -> list[int]:
        """Those of the row that are in it."""
        return [seed for seed in row.seeds if (row.label, seed) in self.places]

    def runs(self, row: AnyRow, seeds: Sequence[int]) -> list[int]:
        """Their places."""
        return [self.places[row.label, seed] for seed in seeds]


@dataclass(frozen=True)
class Differences:
    """All that a table of differences holds.

    Attributes:
        standings: the rows of which no seed and no prediction is missing, as the table has them.
        pairs: every two rows that can be compared.
        adjusted: Holm's p-value of each pair; None where it has none.
        refused: why others are not compared, a clause for each pair.
        rising: labels of rows that still rise at the end of training.
    """

    standings: tuple[Standing, ...]
    pairs: tuple[Compared, ...]
    adjusted: tuple[float | None, ...]
    refused: tuple[str, ...]
    rising: tuple[str, ...]

    @property
    def leader(self) -> Standing | None:
        """The row with the highest F1; None where there is none to lead."""
        return max(self.standings, key=lambda standing: standing.f1.value, default=None)

    def against(self, row: AnyRow) -> list[tuple[Compared, float | None]]:
        """The pairs of a row with their adjusted p-values."""
        pairs = zip(self.pairs, self.adjusted, strict=True)
        return [
            (pair, p) for pair, p in pairs if row.label in {pair.first.label, pair.second.label}
        ]


def is_told(pair: Compared, adjusted: float | None) -> bool:
    """Whether a difference is more than chance among all comparisons of its table."""
    return pair.difference.counts_seeds and adjusted is not None and adjusted < 1 - LEVEL


def find_differences(group: Group) -> Differences:
    """The systems of a table, by the rule that chose their epochs; upper bounds are left out.

    Empty where the test set is not labelled.
    """
    rows: list[AnyRow] = [*group.systems, *group.outside] if labelled(group) else []
    answered = _answered(rows, group.match)
    pairs, refused = _compare(rows, answered)
    return Differences(
        tuple(_standings(rows, answered)),
        tuple(pairs),
        tuple(_adjusted(pairs)),
        tuple(refused),
        tuple(row.label for row in rows if still_rising(row, group.match)),
    )


def compare(rows: Sequence[AnyRow], match: Match) -> tuple[list[Compared], list[str]]:
    """Every two rows, and why others cannot be compared, a clause for each pair.

    They may stand in tables of their own, as long as they were tested on the same examples.
    """
    return _compare(rows, _answered(rows, match))


def f1_of_row(row: AnyRow, match: Match) -> Estimate | None:
    """A row's F1, as tables have it; None where no run, or not each, tells of the same examples."""
    answered = _answered([row], match)
    if len(answered) != 1 or len(answered[0].seeds(row)) != len(row.complete):
        return None
    (part,) = answered
    return mean_f1(part.sample, part.runs(row, part.seeds(row)))


def _answered(rows: Sequence[AnyRow], match: Match) -> list[Answered]:
    """The runs that kept their predictions, by the test examples that they answered."""
    found: dict[str, dict[tuple[str, int], np.ndarray]] = {}
    for row in rows:
        for run in row.complete:
            answered = run.counts(match)
            if answered is not None:
                runs = found.setdefault(answered.examples, {})
                runs[row.label, run.record.seed] = answered.counts
    return [
        Answered(resample(np.array(list(runs.values()))), {run: i for i, run in enumerate(runs)})
        for runs in found.values()
    ]


def _compare(
    rows: Sequence[AnyRow], answered: Sequence[Answered]
) -> tuple[list[Compared], list[str]]:
    pairs, refused = [], []
    for first, second in combinations(rows, 2):
        found = _pair(first, second, answered)
        if isinstance(found, str):
            refused.append(f"{first.label} and {second.label} are not compared: {found}")
        else:
            pairs.append(found)
    return pairs, refused


def _pair(first: AnyRow, second: AnyRow, answered: Sequence[Answered]) -> Compared | str:
    """Two rows compared, or why they cannot be."""
    rows = (first, second)
    if not all(any(part.seeds(row) for part in answered) for row in rows):
        return "no seed of which both runs completed and kept their predictions"
    parts = [part for part in answered if all(map(part.seeds, rows))]
    if len(parts) != 1:
        return "their predictions do not cover the same test examples"
    (part,) = parts
    ours, others = map(part.seeds, rows)
    both = [seed for seed in ours if seed in others]
    paired = _is_paired(first, second, ours, others, both)
    if paired:
        ours = others = both
    found = difference(
        part.sample, part.runs(first, ours), part.runs(second, others), paired=paired
    )
    return Compared(first, second, _over(first, second, ours, others, paired), found)


def _is_paired(
    first: AnyRow,
    second: AnyRow,
    ours: Sequence[int],
    others: Sequence[int],
    both: Sequence[int],
) -> bool:
    """Whether seeds that both have are compared, and no other; numbers of files are no seeds.

    One seed in common tells nothing of seeds, so that several of each are then taken unpaired.
    """
    if not (isinstance(first, Row) and isinstance(second, Row)):
        return False
    return len(both) > 1 or (len(both) == 1 and min(len(ours), len(others)) == 1)


def _over(
    first: AnyRow,
    second: AnyRow,
    ours: Sequence[int],
    others: Sequence[int],
    paired: bool,
) -> str:
    """Over what the means of two rows are taken."""
    if paired:
        return f"n={len(ours)} ({listed(ours)})"
    kinds = ("seed" if isinstance(row, Row) else "file" for row in (first, second))
    counted = map(plural, map(len, (ours, others)), kinds)
    return " against ".join(counted)


def _standings(rows: Sequence[AnyRow], answered: Sequence[Answered]) -> list[Standing]:
    """The F1 of rows without a missing seed; the best is sought among those of several seeds."""
    whole: dict[str, Answered] = {}
    for row in rows:
        parts = [part for part in answered if len(part.seeds(row)) == len(row.seeds)]
        if parts:
            whole[row.label] = parts[0]
    best: dict[str, float] = {}
    for part in answered:
        several = [row for row in rows if whole.get(row.label) is part and len(part.seeds(row)) > 1]
        if len(several) > 1:
            shares = probability_best(part.sample, [_keyed(row, part) for row in several])
            best |= dict(zip((row.label for row in several), shares, strict=True))
    return [
        Standing(
            row,
            mean_f1(whole[row.label].sample, list(_keyed(row, whole[row.label]).values())),
            best.get(row.label),
        )
        for row in rows
        if row.label in whole
    ]


def _keyed(row: AnyRow, part: Answered) -> dict[Hashable, int]:
    """What a run is paired by -> its place; the number of a file is nobody else's."""
    return {
        seed if isinstance(row, Row) else (row.label, seed): part.places[row.label, seed]
        for seed in part.seeds(row)
    }


def _adjusted(pairs: Sequence[Compared]) -> list[float | None]:
    """Holm's p-values of the pairs that have one."""
    given = [pair.difference.p for pair in pairs]
    adjusted = iter(holm([p for p in given if p is not None]))
    return [None if p is None else next(adjusted) for p in given]
