"""Starts the processes of one run: training, then each inference measurement.

Where whoever started them dies, they end; until the last of them has, the run's folder is held.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from runners.executors.lock import locked
from runners.runs.inference import measured_file
from runners.runs.operating_points import curve_file
from runners.runs.plan import RunPlan
from runners.runs.train import PROGRESS
from suite.errors import SuiteError
from suite.files import write_atomically
from suite.records.run import InferenceCost, OperatingCurve, RunRecord, Status, read_record
from suite.systems.contract import find_system, make_settings

OnProgress = Callable[[dict[str, float]], None]
LOG = "log.txt"
WAITING = {"GOMP_SPINCOUNT": "10000"}
"""How long torch's CPU threads spin before they sleep, unless the caller's environment tells.

By default it is thirty times as long, and where other work wants a core too, a spinning thread
keeps the one that it waits for from running: with both of two cores in use, a step took eight times
as long. On an idle machine this costs nothing; not to spin at all costs a quarter."""
PYTHON = (sys.executable, "-P", "-m")
"""Without the current directory on the path: it may hold a folder named `suite` or `runners`."""


@runtime_checkable
class Children(Protocol):
    """How the processes of a run are started; each ends with its exit code."""

    def train(self, folder: Path, on_progress: OnProgress, lock: int) -> int:
        """Trains and tests; the process holds `lock` as long as it lives."""

    def measure(self, folder: Path, size: int) -> int:
        """Measures inference at a batch size."""

    def operate(self, folder: Path) -> int:
        """Measures the operating points."""


def execute(
    plan: RunPlan,
    folder: Path,
    planned: RunRecord,
    on_progress: OnProgress,
    children: Children | None = None,
) -> RunRecord:
    """Trains and measures one run in processes of their own and returns its final record.

    Args:
        plan: what to do.
        folder: of the run; what an earlier, cut-off start left there is gone on with.
        planned: the record to leave where the process dies without leaving one.
        on_progress: hears of the training's progress.
        children: None: fresh processes.

    Raises:
        SuiteError: the plan cannot be followed, or another process works on the folder.
    """
    with locked(folder) as lock:
        return _execute(plan, folder, planned, on_progress, lock, children or Fresh())


def _execute(
    plan: RunPlan,
    folder: Path,
    planned: RunRecord,
    on_progress: OnProgress,
    lock: int,
    children: Children,
) -> RunRecord:
    write_atomically(folder / "run.json", plan.model_dump_json(indent=1))
    path = folder / "record.json"
    record = read_record(path) if path.exists() else None
    if record is None or not trained(record, planned):
        path.unlink(missing_ok=True)
        code = children.train(folder, on_progress, lock)
        if not path.exists():
            _ended_without_record(code, folder, planned).write(folder)
        record = read_record(path)
    if record.status == "complete":
        costs = measure(plan, folder, children)
        record = record.model_copy(update={"inference": costs})
        if operates(plan):
            record = record.model_copy(update={"operating": _operate(folder, children)})
        record.write(folder)
    return record


def operates(plan: RunPlan) -> bool:
    """Whether the system can trade accuracy for speed, and test is there to measure it on."""
    system = find_system(plan.system)
    return plan.test and bool(system.operating_points(make_settings(system, plan.settings)))


def trained(record: RunRecord, planned: RunRecord) -> bool:
    """Whether the record's training need not be done again: it would end as it did."""
    same = record.configuration == planned.configuration
    return same and record.status in {"complete", "diverged"}


def finished(record: RunRecord, planned: RunRecord, plan: RunPlan) -> bool:
    """Whether nothing of the plan is left to do."""
    if not trained(record, planned):
        return False
    if record.status == "diverged":
        return True
    measured = {c.batch_size for c in record.inference if c.failure is None}
    curve = record.operating
    drawn = not operates(plan) or (curve is not None and curve.failure is None)
    return drawn and measured >= set(plan.batch_sizes)


class Fresh:
    """Processes that start from nothing: what one leaves in memory is no other's gain."""

    def train(self, folder: Path, on_progress: OnProgress, lock: int) -> int:
        """`python -m runners.runs.run`."""
        alive, held = os.pipe()  # the child reads the end of it when this process dies
        try:
            with (folder / LOG).open("ab") as log:
                child = subprocess.Popen(
                    [*PYTHON, "runners.runs.run", str(folder), str(alive)],
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env={**WAITING, **os.environ},
                    pass_fds=(alive, lock),
                )
            assert child.stdout is not None
            with child.stdout:
                return followed(child.stdout, on_progress, child.terminate, child.wait)
        finally:
            os.close(alive)
            os.close(held)

    def measure(self, folder: Path, size: int) -> int:
        """`python -m runners.runs.inference`."""
        return self._call("runners.runs.inference", folder, str(size))

    def operate(self, folder: Path) -> int:
        """`python -m runners.runs.operating_points`."""
        return self._call("runners.runs.operating_points", folder)

    def _call(self, module: str, folder: Path, *arguments: str) -> int:
        with (folder / LOG).open("ab") as log:
            command = [*PYTHON, module, str(folder), *arguments]
            environment = {**WAITING, **os.environ}
            return subprocess.run(
                command, stdout=log, stderr=log, env=environment, check=False
            ).returncode


def followed(
    lines: Iterable[str],
    on_progress: OnProgress,
    terminate: Callable[[], None],
    wait: Callable[[], int],
) -> int:
    """Passes on what a training says until it ends; ends it where that is interrupted."""
    try:
        for line in lines:
            if line.startswith(PROGRESS):
                on_progress(json.loads(line.removeprefix(PROGRESS)))
            else:
                print(line, end="", file=sys.stderr)
    except BaseException:
        # The child writes its record before it ends.
        terminate()
        wait()
        raise
    return wait()


def _ended_without_record(code: int, folder: Path, planned: RunRecord) -> RunRecord:
    if code == 2:
        raise SuiteError((_last_line(folder) or "the run could not start").rstrip("."))
    status, reason = _why(code, folder)
    return planned.model_copy(update={"status": status, "failure": reason})


def _why(code: int, folder: Path) -> tuple[Status, str]:
    """What became of a process that left nothing else behind."""
    if code == -signal.SIGKILL:
        return "out of memory", "its process was killed by signal 9, as when memory runs out"
    if code < 0:
        return "interrupted", f"its process was ended by {signal.Signals(-code).name}"
    return "failed", f"{_last_line(folder) or f'exit code {code}'} (see {LOG})"


def _last_line(folder: Path) -> str:
    lines = (folder / LOG).read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def measure(plan: RunPlan, folder: Path, children: Children) -> tuple[InferenceCost, ...]:
    """Inference of a trained run at the plan's batch sizes, a process each."""
    return tuple(_measure(folder, size, children) for size in plan.batch_sizes)


def _measure(folder: Path, size: int, children: Children) -> InferenceCost:
    file = measured_file(folder, size)
    file.unlink(missing_ok=True)
    code = children.measure(folder, size)
    if not file.exists():
        return InferenceCost(batch_size=size, failure=": ".join(_why(code, folder)))
    cost = InferenceCost.model_validate_json(file.read_bytes())
    file.unlink()
    return cost


def _operate(folder: Path, children: Children) -> OperatingCurve:
    file = curve_file(folder)
    file.unlink(missing_ok=True)
    code = children.operate(folder)
    if not file.exists():
        return OperatingCurve(failure=": ".join(_why(code, folder)))
    curve = OperatingCurve.model_validate_json(file.read_bytes())
    file.unlink()
    return curve
