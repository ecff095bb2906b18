"""What carries runs out, wherever it does, and what is heard of them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from runners.runs.plan import RunPlan, read_run_plan
from suite.datasets.swapping import source_of
from suite.errors import SuiteError
from suite.modelling.pretrained import ABSENT
from suite.records.run import RunRecord, read_record
from suite.systems.capabilities import ExitsEarly
from suite.systems.registry import find_system, make_settings

ProgressLine: TypeAlias = dict[str, float]
"""How far a training has come: `epoch` of `epochs`, `best_f1`, after an epoch its `dev_f1`, and
`testing` once there is none more."""
OnProgress: TypeAlias = Callable[[ProgressLine], None]


State: TypeAlias = Literal["done", "trained", "begun", "to do", "other settings", "not known"]
"""`trained`: only measurements are missing; `begun`: a checkpoint is gone on with; `other
settings`: a complete run of another configuration stands in the folder; `not known`: a file that
decides is not read where nothing is run."""
DECIDES = {
    *("dataset", "words", "system", "settings", "protocol", "seed"),
    *("vectors", "train_vectors", "pretrained", "parser", "train_share"),
}
"""Fields of a plan that decide what is trained."""


@dataclass(frozen=True)
class PlannedRun:
    """A run before it is done.

    Attributes:
        plan: what to do.
        folder: where it is done; what an earlier, cut-off start left there is gone on with.
        planned: its record as far as the plan tells, left where its process dies without leaving
            one.
        examples: that it trains on at most, in all epochs.
    """

    plan: RunPlan
    folder: Path
    planned: RunRecord
    examples: int = 0

    @property
    def title(self) -> str:
        """As progress lines name it."""
        return f"{self.planned.system.key} · {self.planned.dataset.name} · seed {self.plan.seed}"

    @property
    def has_encoder(self) -> bool:
        """Whether it is of a system on an encoder of `transformers`."""
        return self.plan.pretrained is not None

    @property
    def operates(self) -> bool:
        """Whether the system can trade accuracy for speed, and test is there to measure it on."""
        system = find_system(self.plan.system)
        if not (self.plan.test and issubclass(system, ExitsEarly)):
            return False
        return bool(system.operating_points(make_settings(system, self.plan.settings)))

    @property
    def measurements(self) -> int:
        """How many processes measure it once it is trained."""
        return len(self.plan.batch_sizes) + self.operates + (self.plan.swap_names is not None)

    def recorded(self) -> RunRecord | None:
        """What an earlier start left.

        Raises:
            SuiteError: it cannot be read.
        """
        path = self.folder / "record.json"
        return read_record(path) if path.exists() else None

    @property
    def state(self) -> State:
        """What an earlier start left of it."""
        record = self.recorded()
        if record is None:
            return "begun" if self._begun() else "to do"
        if record.configuration != self.planned.configuration:
            if self._not_read(record):
                return "not known"
            return "other settings" if record.status == "complete" else "to do"
        if self.done() is not None:
            return "done"
        return "to do" if self.trained() is None else "trained"

    def _not_read(self, record: RunRecord) -> bool:
        """Whether a file that decides has not been read yet, as where nothing is to be run."""
        planned, there = self.planned.system, record.system
        unread = planned.vectors is None and there.vectors is not None
        return unread or ABSENT in (planned.pretrained or "")

    def _begun(self) -> bool:
        """Whether a training of this plan was cut off after an epoch; it goes on from there."""
        if not (self.folder / "checkpoint" / "last.pt").exists():
            return False
        try:
            found = read_run_plan(self.folder)
        except SuiteError:
            return False
        return found.model_dump(include=DECIDES) == self.plan.model_dump(include=DECIDES)

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
        there = drawn and measured >= set(self.plan.batch_sizes) and self._swapped(record)
        return record if there else None

    def _swapped(self, record: RunRecord) -> bool:
        """Whether test was scored with the names that are asked for, where any are."""
        names, found = self.plan.swap_names, record.swapped
        if names is None or record.status != "complete":
            return True
        return found is not None and found.failure is None and found.names == source_of(names)


@dataclass(frozen=True)
class Started:
    """A run begins, on a node of a cluster or here."""

    run: PlannedRun
    node: str | None = None


@dataclass(frozen=True)
class Restarted:
    """A run goes on, on another node or in another process: the one before has died."""

    run: PlannedRun
    node: str


@dataclass(frozen=True)
class Progressed:
    """A run's training has come further."""

    run: PlannedRun
    line: ProgressLine


@dataclass(frozen=True)
class Measuring:
    """A measurement of a trained run begins.

    Attributes:
        what: is measured.
    """

    run: PlannedRun
    what: str


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


Event: TypeAlias = Started | Restarted | Progressed | Measuring | Measured | Ended
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
