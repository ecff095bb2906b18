"""One run as it lies in its folder: the record, the epochs, and the counts of each test example.

So does a file of predictions that was scored here and not trained here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Int

from suite.errors import SuiteError
from suite.files import AGAIN, read_lines
from suite.records.outside import OutsideRecord
from suite.records.run import Epoch, RunRecord, read_history
from suite.tasks.matching import Match
from suite.tasks.scores import AnsweredExample, Evaluation


class Missing(str):
    """Why a whole run gives nothing: its status, or that it left no record."""

    __slots__ = ()


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
    """One run's record with the folder it lies in."""

    record: RunRecord
    folder: Path

    @property
    def complete(self) -> bool:
        """Whether its scores count: they do for no other status."""
        return self.record.status == "complete"

    @cached_property
    def history(self) -> list[Epoch]:
        """Its epochs; empty where none ended."""
        return read_history(self.folder)

    def counts(self, match: Match) -> dict[str, Int[np.ndarray, "3"]] | None:
        """Test example -> correct, predicted, gold; None where no predictions were kept."""
        return _counts(self.folder / "predictions.jsonl", match)


@dataclass(frozen=True)
class OutsideRun:
    """A file of predictions that was scored here, with the folder that its record lies in."""

    record: OutsideRecord
    folder: Path

    def counts(self, match: Match) -> dict[str, Int[np.ndarray, "3"]] | None:
        """As those of a run."""
        return _counts(self.folder / "predictions.jsonl", match)


def _counts(path: Path, match: Match) -> dict[str, Int[np.ndarray, "3"]] | None:
    if not path.is_file():
        return None
    found = {}
    for outcome in read_lines(path, AnsweredExample, "an answered example"):
        if match not in outcome.correct:
            raise SuiteError(
                f"example {outcome.id!r} has no counts under {match} match",
                where=path,
                remedy=AGAIN,
            )
        scores = outcome.correct[match]
        found[outcome.id] = np.array([scores.correct, scores.predicted, scores.gold])
    return found
