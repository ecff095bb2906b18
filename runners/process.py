"""Starts the processes of one run: training, then each inference measurement."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from runners.measure import measured_file
from runners.plan import RunPlan
from suite.errors import SuiteError
from suite.files import write_atomically
from suite.records import InferenceCost, RunRecord, read_record

Told = Callable[[dict[str, float]], None]
LOG = "log.txt"


def execute(plan: RunPlan, folder: Path, blank: RunRecord, told: Told) -> RunRecord:
    """Trains and measures one run in processes of their own and returns its final record.

    Args:
        plan: what to do.
        folder: of the run; what an earlier, cut-off start left there is gone on with.
        blank: the record to leave where the process dies without leaving one.
        told: hears of the training's progress.
    """
    write_atomically(folder / "run.json", plan.model_dump_json(indent=1))
    path = folder / "record.json"
    record = read_record(path) if path.exists() else None
    if record is None or not trained(record, blank):
        path.unlink(missing_ok=True)
        code = _train(folder, told)
        if not path.exists():
            _ended_without_record(code, folder, blank).write(folder)
        record = read_record(path)
    if record.status == "complete":
        costs = [_measure(folder, size) for size in plan.batch_sizes]
        record = record.model_copy(update={"inference": tuple(costs)})
        record.write(folder)
    return record


def trained(record: RunRecord, blank: RunRecord) -> bool:
    """Whether the record's training need not be done again: it would end as it did."""
    same = record.configuration == blank.configuration
    return same and record.status in {"complete", "diverged"}


def finished(record: RunRecord, blank: RunRecord, plan: RunPlan) -> bool:
    """Whether nothing of the plan is left to do."""
    if not trained(record, blank):
        return False
    measured = {c.batch_size for c in record.inference if c.failure is None}
    return record.status == "diverged" or measured >= set(plan.batch_sizes)


def _train(folder: Path, told: Told) -> int:
    with (folder / LOG).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "runners.run", str(folder)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert child.stdout is not None
        try:
            for line in child.stdout:
                if line.startswith("{"):
                    told(json.loads(line))
        except KeyboardInterrupt:
            # The child hears of Ctrl-C as well, and writes its record before it ends.
            child.wait()
            raise
        return child.wait()


def _ended_without_record(code: int, folder: Path, blank: RunRecord) -> RunRecord:
    tail = (folder / LOG).read_text(errors="replace").strip().splitlines()
    if code == 2:
        raise SuiteError(tail[-1] if tail else "the run could not start", where=folder / LOG)
    if code == -signal.SIGKILL:
        status, reason = (
            "out of memory",
            (
                "its process was killed (signal 9), as the system does when memory runs out; the "
                "same command goes on with it"
            ),
        )
    elif code < 0:
        status, reason = "interrupted", f"its process was ended by {signal.Signals(-code).name}"
    else:
        status, reason = "failed", f"{tail[-1] if tail else f'exit code {code}'} (see {LOG})"
    return blank.model_copy(update={"status": status, "failure": reason})


def _measure(folder: Path, size: int) -> InferenceCost:
    file = measured_file(folder, size)
    file.unlink(missing_ok=True)
    with (folder / LOG).open("ab") as log:
        command = [sys.executable, "-m", "runners.measure", str(folder), str(size)]
        code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
    if not file.exists():
        reason = (
            "out of memory (its process was killed)"
            if code == -signal.SIGKILL
            else f"its process ended with code {code} (see {LOG})"
        )
        return InferenceCost(batch_size=size, failure=reason)
    cost = InferenceCost.model_validate_json(file.read_bytes())
    file.unlink()
    return cost
