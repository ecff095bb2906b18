"""One run as it lies in its folder: the record, the epochs, and the counts of each test example.

So does a file of predictions that was scored here and not trained here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Int

from suite.errors import SuiteError
from suite.evaluation.judged import Judged, judge
from suite.files import AGAIN, read_lines
from suite.records.evidence import digest_of
from suite.records.outside import OutsideRecord
from suite.records.run import (
    DEV_PREDICTIONS,
    PREDICTIONS,
    SWAPPED_PREDICTIONS,
    DatasetFacts,
    Epoch,
    InferenceCost,
    OperatingCurve,
    Place,
    RunRecord,
    read_history,
)
from suite.tasks.matching import Match
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample, Evaluation

ON_ANOTHER_MACHINE = "on another machine"
"""Why a table of one machine's times has none of a part of a run."""


class Missing(str):
    """Why a whole run gives nothing: its status, or that it left no record."""

    __slots__ = ()


@dataclass(frozen=True)
class SplitCounts:
    """How each example of a split was answered.

    Attributes:
        examples: equal where two runs answered the same ones.
        counts: correct, predicted and gold of each, in the order of their ids.
    """

    examples: str
    counts: Int[np.ndarray, "examples 3"]


class ScoredRecord(Protocol):
    """What the records of runs and of files of predictions both tell."""

    @property
    def seed(self) -> int:
        """Of the run, or the number of the file."""

    @property
    def dev(self) -> Evaluation | None:
        """The scores of dev; None where they are not known."""

    @property
    def test(self) -> Evaluation | None:
        """The scores of test; None where there are none."""


@dataclass(frozen=True)
class RecordedRun:
    """One run's record with the folder it lies in.

    Attributes:
        trained_here: False where only what another machine than that of the training measured is
            meant.
    """

    record: RunRecord
    folder: Path
    trained_here: bool = True

    @property
    def complete(self) -> bool:
        """Whether its scores count: they do for no other status."""
        return self.record.status == "complete"

    @cached_property
    def history(self) -> list[Epoch]:
        """Its epochs; empty where none ended."""
        return read_history(self.folder) if self.trained_here else []

    @cached_property
    def judged(self) -> Judged | None:
        """What its predictions on test come to; None where none were kept."""
        return self._judged(PREDICTIONS)

    @cached_property
    def judged_dev(self) -> Judged | None:
        """Likewise on dev."""
        return self._judged(DEV_PREDICTIONS)

    @cached_property
    def judged_swapped(self) -> Judged | None:
        """Likewise on test with other names."""
        return self._judged(SWAPPED_PREDICTIONS)

    def _judged(self, file: str) -> Judged | None:
        return _judge(self.folder / file, self.record.dataset, self.record.protocol.match)

    def by_place(self) -> dict[Place, RecordedRun]:
        """Kind of machine -> what of the run's times was taken there; that of training first."""
        record = self.record
        own, curve = record.environment.place, record.operating
        places = [cost.place for cost in record.inference] + [curve.place if curve else None]
        found = dict.fromkeys([own, *(place for place in places if place is not None)])
        if len(found) == 1:
            return {own: self}
        return {
            place: replace(self, record=_taken_at(record, place), trained_here=place == own)
            for place in found
        }

    def counts(self, match: Match) -> SplitCounts | None:
        """How it answered test; None where no predictions were kept."""
        return _counts(self.folder / PREDICTIONS, match)


def _taken_at(record: RunRecord, place: Place) -> RunRecord:
    """The record without the times that were taken on other kinds of machine."""
    own, curve = record.environment.place, record.operating
    costs = tuple(
        cost
        if (cost.place or own) == place
        else InferenceCost(batch_size=cost.batch_size, failure=ON_ANOTHER_MACHINE)
        for cost in record.inference
    )
    if curve is not None and (curve.place or own) != place:
        curve = OperatingCurve(failure=ON_ANOTHER_MACHINE)
    return record.model_copy(
        update={
            "environment": record.environment.model_copy(update=dict(place)),
            "training": record.training if place == own else None,
            "inference": costs,
            "operating": curve,
        }
    )


@dataclass(frozen=True)
class OutsideRun:
    """A file of predictions that was scored here, with the folder that its record lies in."""

    record: OutsideRecord
    folder: Path

    @cached_property
    def judged(self) -> Judged | None:
        """As that of a run."""
        return _judge(self.folder / PREDICTIONS, self.record.dataset, self.record.match)

    @property
    def judged_dev(self) -> None:
        """Nothing is known of dev."""
        return

    def counts(self, match: Match) -> SplitCounts | None:
        """As those of a run."""
        return _counts(self.folder / PREDICTIONS, match)


def _counts(path: Path, match: Match) -> SplitCounts | None:
    if not path.is_file():
        return None
    found: dict[str, list[int]] = {}
    for outcome in read_lines(path, AnsweredExample, "an answered example"):
        if match not in outcome.correct:
            raise SuiteError(
                f"example {outcome.id!r} has no counts under {match} match",
                where=path,
                remedy=AGAIN,
            )
        scores = outcome.correct[match]
        found[outcome.id] = [scores.correct, scores.predicted, scores.gold]
    ids = sorted(found)
    return SplitCounts(digest_of(ids), np.array([found[i] for i in ids])) if ids else None


def _judge(path: Path, facts: DatasetFacts, match: Match) -> Judged | None:
    if not path.is_file():
        return None
    lines = read_lines(path, AnsweredExample, "an answered example")
    try:
        return judge(lines, find_task(facts.task), facts.matching, match)
    except ValueError as error:
        raise SuiteError(str(error), where=path, remedy=AGAIN) from error
