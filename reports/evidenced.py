"""Runs that are told by evidence, as reports read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from reports.run_files import RecordedRun, SplitCounts
from suite.records.evidence import (
    NOT_SEEN,
    RUN_EVIDENCE,
    SEEN,
    RunEvidence,
    Triple,
    read_run_evidence,
)
from suite.records.run import Epoch, read_record
from suite.tasks.matching import Match


@dataclass(frozen=True)
class EvidencedRun(RecordedRun):
    """A run that came as evidence, without its predictions.

    Attributes:
        held: the evidence.
        split, part: what its counts are of; `part` is of test, `SEEN`, `NOT_SEEN`, or a family and
            its slice (`overlap: EPO`).
    """

    held: RunEvidence = field(kw_only=True)
    split: Literal["dev", "test"] = "test"
    part: str | None = None

    @cached_property
    def history(self) -> list[Epoch]:
        """Its epochs; empty where none ended."""
        return list(self.held.history) if self.trained_here else []

    def counts(self, match: Match) -> SplitCounts | None:
        """How it answered its split, or a part of it; None where the evidence does not tell.

        Args:
            match: the rule; parts by item are under the one that selects, whatever it is.
        """
        answered = self.held.test if self.split == "test" else self.held.dev
        if answered is None:
            return None
        rows: Sequence[Triple] | None = answered.counts.get(match)
        kept: Iterable[bool] | None = None
        if self.part in {SEEN, NOT_SEEN}:
            rows = answered.by_item.get(self.part)
        elif self.part is not None:
            family, _, name = self.part.partition(": ")
            kept = [name in slices for slices in answered.slices.get(family, ())]
        if rows is None:
            return None
        if kept is not None:
            rows = [row for row, keep in zip(rows, kept, strict=False) if keep]
        examples = " ".join(filter(None, (answered.examples, self.part)))
        return SplitCounts(examples, np.array(rows)) if rows else None


def read_run(folder: Path) -> RecordedRun:
    """A run in its folder, whether it was done there or came as evidence.

    Raises:
        SuiteError: its record or its evidence is broken.
    """
    record = read_record(folder / "record.json")
    if (folder / RUN_EVIDENCE).is_file():
        return EvidencedRun(record, folder, held=read_run_evidence(folder))
    return RecordedRun(record, folder)
