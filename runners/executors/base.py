"""What carries runs out, wherever it does, and what is heard of them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from runners.runs.plan import RunPlan
from suite.records.run import RunRecord, read_record
from suite.systems.capabilities import ExitsEarly
from suite.systems.registry import find_system, make_settings

ProgressLine: TypeAlias = dict[str, float]
"""How far a training has come: `epoch` of `epochs`, `best_f1`, and after an epoch its `dev_f1`."""
OnProgress: TypeAlias = Callable[[ProgressLine], None]


@dataclass(frozen=True)
class PlannedRun:
    """A run before it is done.

    Attributes:
        plan: what to do.
        folder: where it is done; what an earlier, cut-off start left there is gone on with.
        planned: its record as far as the plan tells, left where its process dies without leaving
            one.
    """

    plan: RunPlan
    folder: Path
    planned: RunRecord

    @property
    def title(self) -> str:
        """As progress lines name it."""
        return f"{self.planned.system.key} · {self.planned.dataset.name} · seed {self.plan.seed}"

    @property
    def operates(self) -> bool:
        """Whether the system can trade accuracy for speed, and test is there to measure it on."""
        system = find_system(self.plan.system)
        if not (self.plan.test and issubclass(system, ExitsEarly)):
            return False
        return bool(system.operating_points(make_settings(system, self.plan.settings)))

    def recorded(self) -> RunRecord | None:
        """What an earlier start left.

        Raises:
            SuiteError: it cannot be read.
        """
        path = self.folder / "record.json"
        return read_record(path) if path.exists() else None

    def trained(self) -> RunRecord | None:
        """The record of a training that need not be done again: it would end as it did."""
        record = self.recorded()
        if record is None or record.configuration != self.planned.configuration:
            return None
        return record if record.status in {"complete", "diverged", "pruned"} else None

    def done(self) -> RunRecord | None:
        """The record of an earlier command that left nothing to do."""
        record = self.trained()
        if record is None or record.status == "diverged":
            return record
        measured = {c.batch_size for c in record.inference if c.failure is None}
        curve = record.operating
        drawn = not self.operates or (curve is not None and curve.failure is None)
        return record if drawn and measured >= set(self.plan.batch_sizes) else None


@dataclass(frozen=True)
class Started:
    """A run begins."""

    run: PlannedRun


@dataclass(frozen=True)
class Progressed:
    """A run's training has come further."""

    run: PlannedRun
    line: ProgressLine


@dataclass(frozen=True)
class Measured:
    """A measurement of a trained run has ended, after so many seconds of wall clock."""

    run: PlannedRun
    seconds: float


@dataclass(frozen=True)
class Ended:
    """A run has ended, with its final record."""

    run: PlannedRun
    record: RunRecord


Event: TypeAlias = Started | Progressed | Measured | Ended
OnEvent: TypeAlias = Callable[[Event], None]


class Executor(Protocol):
    """Whatever carries runs out: on this machine, or on others."""

    def run_all(self, runs: Sequence[PlannedRun], on_event: OnEvent) -> None:
        """Trains and measures runs; each leaves its record in its folder.

        Args:
            runs: to be done, in this order as far as they are not done at once.
            on_event: hears what happens, in the caller's thread. What it raises ends the runs
                that are under way, which leave their records, and is raised again.

        Raises:
            SuiteError: a plan cannot be followed, or another process works on a run's folder.
        """
