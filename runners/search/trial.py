"""One trial of a search: a run that leaves test alone, pruned where its search wants it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runners.executors.local import Children, execute, measure
from runners.runs.workbench import Workbench
from runners.search.timed import TimedChildren
from suite.records.run import Epoch, RunRecord, read_history, read_record
from suite.records.search import Spent


class PrunedError(Exception):
    """Raised by who hears of an epoch: the training is to end there."""


@dataclass(frozen=True)
class Outcome:
    """What became of a structure.

    Attributes:
        record: of its run.
        epochs: dev F1 after each.
        spent: seconds that were its own.
    """

    record: RunRecord
    epochs: tuple[float, ...]
    spent: Spent

    def fields(self) -> dict[str, Any]:
        """Those of a `TrialRecord`."""
        record = self.record
        measured = {c.batch_size: c for c in record.inference if c.failure is None}
        states = {"complete": "complete", "pruned": "pruned"}
        return {
            "state": states.get(record.status, "failed"),
            "dev_f1": max(self.epochs, default=None),
            "epochs": self.epochs,
            "parameters": record.parameters.total if record.parameters else None,
            "peak_memory_bytes": record.training.peak_memory_bytes if record.training else None,
            "latency_ms": {size: c.stages["total"].median for size, c in measured.items()},
            "spent": self.spent,
            "failure": record.failure,
        }


def try_structure(
    bench: Workbench,
    planned: RunRecord,
    folder: Path,
    children: Children,
    on_epoch: Callable[[int, float], None],
) -> Outcome:
    """Trains and measures a structure; goes on with what a worker that died left in the folder.

    Args:
        bench: of the run.
        planned: its record before anything is known.
        folder: of the run.
        children: start its processes.
        on_epoch: hears of each epoch's dev F1, from the first one on, and may raise `PrunedError`.
    """
    task, match = bench.dataset.task, bench.protocol.match

    def f1_of(epoch: Epoch) -> float:
        return epoch.dev.selecting(task, match).f1

    def on_progress(line: dict[str, float]) -> None:
        if "dev_f1" in line:
            on_epoch(int(line["epoch"]), line["dev_f1"])

    timed = TimedChildren(folder, children)
    try:
        for epoch in read_history(folder):
            on_epoch(epoch.epoch, f1_of(epoch))
        record = execute(bench.plan, folder, planned, on_progress, timed)
    except PrunedError:
        record = _pruned(bench, planned, folder, timed)
    return Outcome(record, tuple(map(f1_of, read_history(folder))), timed.spent())


def _pruned(bench: Workbench, planned: RunRecord, folder: Path, children: Children) -> RunRecord:
    """The record of a training that was ended early, timed as far as it came.

    Its latency is measured too: what breaks a limit should not be sampled again.
    """
    path = folder / "record.json"
    record = read_record(path) if path.exists() else planned
    reason = f"after epoch {len(read_history(folder))}: under the median of the trials before it"
    record = record.model_copy(update={"status": "pruned", "failure": reason})
    record.write(folder)
    record = record.model_copy(update={"inference": measure(bench.plan, folder, children)})
    record.write(folder)
    return record
