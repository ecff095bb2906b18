"""The steps of one run, each in processes of its own: training, then each measurement.

Until the last of a step's processes has ended, the run's folder is held.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runners.executors import work
from runners.executors.base import Measured, Measuring, OnEvent, PlannedRun, Progressed
from runners.executors.leavings import collected, ending, last_line
from runners.executors.lock import locked
from runners.executors.processes import Processes
from runners.runs.checkpoint import Checkpoints
from runners.runs.inference import measured_file
from runners.runs.operating_points import curve_file
from runners.runs.swapped import swapped_file
from suite.artifact import Artifact
from suite.artifact.facts import OF_A_RUN
from suite.errors import SuiteError
from suite.files import remove_leftovers, write_atomically
from suite.records.evidence import RUN_EVIDENCE
from suite.records.run import (
    InferenceCost,
    OperatingCurve,
    RunRecord,
    SwappedTest,
    read_record,
)

MEASURABLE = frozenset({"complete", "pruned"})
"""Statuses of runs that have selected weights."""


@dataclass(frozen=True)
class Trained:
    """A run whose training has ended.

    Attributes:
        record: as the training left it.
        now: whether this command trained it, and no earlier one, of whose company nothing is known
            but what it noted.
    """

    record: RunRecord
    now: bool

    def as_seen(self, *, alone: bool, node: str | None = None) -> RunRecord:
        """The record with what the command saw of a training of its own.

        Args:
            alone: whether nothing else of the command was under way beside it.
            node: of a cluster, that trained it; None: the machine of the command.
        """
        record = self.record
        if not self.now or record.training is None or record.training.alone is not None:
            return record
        training = record.training.model_copy(update={"alone": alone})
        return record.model_copy(update={"training": training, "node": node})


def train(run: PlannedRun, processes: Processes, on_event: OnEvent) -> Trained:
    """Trains and tests, unless an earlier start has and its weights are sound.

    Raises:
        SuiteError: the plan cannot be followed, or another process works on the folder.
    """
    folder = run.folder
    with locked(folder) as lock:
        remove_leftovers(folder)
        write_atomically(folder / "run.json", run.plan.model_dump_json(indent=1))
        record = run.trained()
        if record is not None and not _is_damaged(run, record):
            # A search that prunes a training ends it, and has it measured at once.
            return Trained(record, now=record.status == "pruned")
        path = folder / "record.json"
        path.unlink(missing_ok=True)
        # Of a run that came without its model: what is trained now is told by its predictions.
        (folder / RUN_EVIDENCE).unlink(missing_ok=True)
        code = processes.call(
            work.train,
            folder,
            lock=lock,
            encoder=run.has_encoder,
            on_progress=lambda line: on_event(Progressed(run, line)),
        )
        if not path.exists():
            _ended_without_record(code, run).write(folder)
        return Trained(read_record(path), now=True)


def _is_damaged(run: PlannedRun, record: RunRecord) -> bool:
    """Whether what it is measured by is damaged, which is said."""
    damage: object = None
    if record.model is not None:
        try:
            Artifact.read(run.folder / OF_A_RUN, record.model)
        except SuiteError as error:
            damage = error
    elif record.status in MEASURABLE:
        checkpoints = Checkpoints(run.folder / "checkpoint", record.configuration)
        if (found := checkpoints.damage()) is not None:
            damage = f"{checkpoints.best} is damaged ({found})"
    if damage is None:
        return False
    print(f"{damage}: {run.title} is trained again", file=sys.stderr, flush=True)
    return True


def _ended_without_record(code: int, run: PlannedRun) -> RunRecord:
    if code == 2:
        raise SuiteError((last_line(run.folder) or "the run could not start").rstrip("."))
    status, reason = ending(code, run.folder)
    return run.planned.model_copy(update={"status": status, "failure": reason})


def measure(
    run: PlannedRun, record: RunRecord, processes: Processes, on_event: OnEvent
) -> RunRecord:
    """Measures inference at every batch size of the plan, and what else the plan asks for.

    Args:
        run: that was trained.
        record: as its training left it.
        processes: to measure in.
        on_event: hears of each measurement.
    """
    if record.status not in MEASURABLE:
        return record
    folder = run.folder
    with locked(folder) as lock:

        def timed(what: str, step: Callable[..., int], *arguments: object) -> int:
            on_event(Measuring(run, what))
            started = time.monotonic()
            code = processes.call(step, folder, *arguments, lock=lock, encoder=run.has_encoder)
            on_event(Measured(run, time.monotonic() - started))
            return code

        costs = tuple(_inference(folder, size, timed) for size in run.plan.batch_sizes)
        curve = _operating(folder, timed) if _has_curve(run, record) else record.operating
        swapped = _swapped(run, folder, timed) if _swaps(run, record) else record.swapped
        found = {"inference": costs, "operating": curve, "swapped": swapped}
        record = record.model_copy(update=found)
        record.write(folder)
    return record


def measured_as_seen(record: RunRecord, *, alone: bool, node: str | None = None) -> RunRecord:
    """A record that was just measured, with what the command saw of that; as `Trained.as_seen`."""
    seen = {"alone": alone, "node": node}
    costs = tuple(cost.model_copy(update=seen) for cost in record.inference)
    curve = record.operating and record.operating.model_copy(update=seen)
    return record.model_copy(update={"inference": costs, "operating": curve})


def unmeasured(run: PlannedRun, record: RunRecord, failure: str) -> RunRecord:
    """A trained run's record where nothing could be measured, with the reason at each place."""
    costs = tuple(InferenceCost(batch_size=size, failure=failure) for size in run.plan.batch_sizes)
    curve = OperatingCurve(failure=failure) if _has_curve(run, record) else record.operating
    swapped = record.swapped
    if _swaps(run, record):
        swapped = SwappedTest(names=_names(run), failure=failure)
    found = {"inference": costs, "operating": curve, "swapped": swapped}
    return record.model_copy(update=found)


def _has_curve(run: PlannedRun, record: RunRecord) -> bool:
    return run.operates and record.status == "complete"


def _swaps(run: PlannedRun, record: RunRecord) -> bool:
    return run.plan.swap_names is not None and record.status == "complete"


def _names(run: PlannedRun) -> str:
    return Path(run.plan.swap_names or "").name  # no folder of a user's


def _inference(folder: Path, size: int, timed: Callable[..., int]) -> InferenceCost:
    file = measured_file(folder, size)
    found = collected(
        file, InferenceCost, lambda: timed(f"inference, batch {size}", work.measure, size)
    )
    if isinstance(found, InferenceCost):
        return found
    return InferenceCost(batch_size=size, failure=": ".join(ending(found, folder)))


def _operating(folder: Path, timed: Callable[..., int]) -> OperatingCurve:
    found = collected(
        curve_file(folder), OperatingCurve, lambda: timed("operating points", work.operate)
    )
    if isinstance(found, OperatingCurve):
        return found
    return OperatingCurve(failure=": ".join(ending(found, folder)))


def _swapped(run: PlannedRun, folder: Path, timed: Callable[..., int]) -> SwappedTest:
    found = collected(swapped_file(folder), SwappedTest, lambda: timed("other names", work.swap))
    if isinstance(found, SwappedTest):
        return found
    return SwappedTest(names=_names(run), failure=": ".join(ending(found, folder)))
