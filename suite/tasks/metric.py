"""A metric: one declaration, from which tables, `results.csv` and the tracker take it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from suite.tasks.matching import Match
from suite.tasks.ranking import Ranking
from suite.tasks.scores import Evaluation

ScoredSplit = Literal["dev", "test"]

PARTS: Mapping[str, str] = {"precision": "P", "recall": "R", "f1": "F1"}
"""Property of `Scores` -> its heading."""


@dataclass(frozen=True)
class Metric:
    """A number that is read from the evaluation of a split.

    Attributes:
        name: its column in `results.csv` after the split (`test_ign_f1`; a slash becomes `_`), and
            its key in trackers (`test/ign_f1`).
        heading: its column in the report's main table, without split and unit; `{matching}` stands
            for what spans are compared by.
        sentence: what it means, for the reader of the table; metrics may share one.
        read: takes it from an evaluation; None where that does not hold it. By default the
            evaluation's measure of this name.
        columns: splits for which the main table has a column of it.
        share: whether it is a share (0 to 1) and printed in per cent, or a number as it is.
        digits: decimals in print.
        fitted: whether it is one value per run, fitted on dev and used on test as it is; it has a
            single column, `heading` and `name` alone.
        of_ranking: computes it from all scored items and theta, for tasks that rank; the value is
            kept in the evaluation's `measures`.
    """

    name: str
    heading: str
    sentence: str
    read: Callable[[Evaluation], float | None] | None = None
    columns: tuple[ScoredSplit, ...] = ("test",)
    share: bool = True
    digits: int = 1
    fitted: bool = False
    of_ranking: Callable[[Ranking, float], float] | None = None

    def of(self, evaluation: Evaluation) -> float | None:
        """Its value; None where the evaluation does not hold it."""
        if self.read is not None:
            return self.read(evaluation)
        return evaluation.measures.get(self.name)

    @property
    def column(self) -> str:
        """Its name in `results.csv`, without the split."""
        return self.name.replace("/", "_")


def counted(
    rules: Mapping[Match, str], sentence: str, columns: Mapping[str, tuple[ScoredSplit, ...]]
) -> list[Metric]:
    """Precision, recall and F1 over sets, under both match rules.

    Args:
        rules: match rule -> how headings name it, empty where it needs no name; a rule that is not
            here has no column in the main table.
        sentence: what they count.
        columns: key of `PARTS` -> splits for which the main table has a column of it.
    """
    ordered: dict[Match, str | None] = {**rules}
    for match in ("partial", "exact"):
        ordered.setdefault(match, None)
    return [
        Metric(
            name=f"{match}/{part}",
            heading=f"{letter}, {rule}" if rule else letter,
            sentence=sentence,
            read=_reader(match, part),
            columns=() if rule is None else columns[part],
        )
        for match, rule in ordered.items()
        for part, letter in PARTS.items()
    ]


def _reader(match: Match, part: str) -> Callable[[Evaluation], float]:
    def read(evaluation: Evaluation) -> float:
        value: float = getattr(evaluation.under(match), part)
        return value

    return read
