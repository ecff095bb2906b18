"""The steps of one run, each in processes of its own: training, then each measurement.

Until the last of a step's processes has ended, the run's folder is held.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from runners.executors import work
from runners.executors.base import Measured, OnEvent, PlannedRun, Progressed
from runners.executors.lock import locked
from runners.executors.processes import LOG, Processes
from runners.runs.checkpoint import Checkpoints
from runners.runs.inference import measured_file
from runners.runs.operating_points import curve_file
from suite.artifact import Artifact
from suite.artifact.facts import OF_A_RUN
from suite.errors import SuiteError
from suite.files import remove_leftovers, write_atomically
from suite.records.run import InferenceCost, OperatingCurve, RunRecord, Status, read_record

MEASURABLE = frozenset({"complete", "pruned"})
"""Statuses of runs that have selected weights."""


def train(run: PlannedRun, processes: Processes, on_event: OnEvent) -> RunRecord:
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
            return record
        path = folder / "record.json"
        path.unlink(missing_ok=True)
        code = processes.call(
            work.train,
            folder,
            lock=lock,
            on_progress=lambda line: on_event(Progressed(run, line)),
        )
        if not path.exists():
            _ended_without_record(code, run).write(folder)
        return read_record(path)


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


def measure(
    run: PlannedRun, record: RunRecord, processes: Processes, on_event: OnEvent, *, alone: bool
) -> RunRecord:
    """Measures inference at every batch size of the plan, and the operating points.

    Args:
        run: that was trained.
        record: as its training left it.
        processes: to measure in.
        on_event: hears of each measurement.
        alone: whether no other run of the command is under way meanwhile; the record keeps it.
    """
    if record.status not in MEASURABLE:
        return record
    folder = run.folder
    with locked(folder) as lock:

        def timed(step: Callable[..., int], *arguments: object) -> int:
            started = time.monotonic()
            code = processes.call(step, folder, *arguments, lock=lock)
            on_event(Measured(run, time.monotonic() - started))
            return code

        costs = tuple(_inference(run, size, timed) for size in run.plan.batch_sizes)
        costs = tuple(cost.model_copy(update={"alone": alone}) for cost in costs)
        record = record.model_copy(update={"inference": costs})
        if run.operates and record.status == "complete":
            curve = _operating(run, timed).model_copy(update={"alone": alone})
            record = record.model_copy(update={"operating": curve})
        record.write(folder)
    return record


def _inference(run: PlannedRun, size: int, timed: Callable[..., int]) -> InferenceCost:
    file = measured_file(run.folder, size)
    file.unlink(missing_ok=True)
    code = timed(work.measure, size)
    if not file.exists():
        return InferenceCost(batch_size=size, failure=": ".join(_why(code, run.folder)))
    cost = InferenceCost.model_validate_json(file.read_bytes())
    file.unlink()
    return cost


def _operating(run: PlannedRun, timed: Callable[..., int]) -> OperatingCurve:
    file = curve_file(run.folder)
    file.unlink(missing_ok=True)
    code = timed(work.operate)
    if not file.exists():
        return OperatingCurve(failure=": ".join(_why(code, run.folder)))
    curve = OperatingCurve.model_validate_json(file.read_bytes())
    file.unlink()
    return curve


def _ended_without_record(code: int, run: PlannedRun) -> RunRecord:
    if code == 2:
        raise SuiteError((_last_line(run.folder) or "the run could not start").rstrip("."))
    status, reason = _why(code, run.folder)
    return run.planned.model_copy(update={"status": status, "failure": reason})


def _why(code: int, folder: Path) -> tuple[Status, str]:
    """What became of a process that left nothing else."""
    if code == -signal.SIGKILL:
        return "out of memory", "its process was killed by signal 9, as when memory runs out"
    if code < 0:
        return "interrupted", f"its process was ended by {signal.Signals(-code).name}"
    return "failed", f"{_last_line(folder) or f'exit code {code}'} (see {LOG})"


def _last_line(folder: Path) -> str:
    lines = (folder / LOG).read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
