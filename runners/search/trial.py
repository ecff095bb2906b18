"""One trial of a search: a run that leaves test alone, pruned where its search wants it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runners.executors.base import Event, Executor, Measured, PlannedRun, Progressed
from suite.records.run import Epoch, RunRecord, read_history, read_record
from suite.records.search import Spent
from suite.tasks.registry import find_task


class PrunedError(Exception):
    """Raised by who hears of an epoch: the training is to end there, for the reason given."""


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
        beside = {cost.alone for cost in measured.values()}
        measured_alone = False if False in beside else (True if beside == {True} else None)
        states = {"complete": "complete", "pruned": "pruned"}
        return {
            "state": states.get(record.status, "failed"),
            "dev_f1": max(self.epochs, default=None),
            "epochs": self.epochs,
            "parameters": record.parameters.total if record.parameters else None,
            "peak_memory_bytes": record.training.peak_memory_bytes if record.training else None,
            "latency_ms": {size: c.stages["total"].median for size, c in measured.items()},
            "spent": self.spent,
            "alone": record.training.alone if record.training else measured_alone,
            "measured_alone": measured_alone,
            "node": record.node,
            "failure": record.failure,
        }


def try_structure(
    run: PlannedRun, executor: Executor, on_epoch: Callable[[int, float], None]
) -> Outcome:
    """Trains and measures a structure; goes on with what a worker that died left in the folder.

    Args:
        run: of the structure.
        executor: carries it out.
        on_epoch: hears of each epoch's dev F1, from the first one on, and may raise `PrunedError`.
    """
    begun, measuring = _own_seconds(run.folder), 0.0

    def on_event(event: Event) -> None:
        nonlocal measuring
        if isinstance(event, Measured):
            measuring += event.seconds
        elif isinstance(event, Progressed) and "dev_f1" in event.line:
            on_epoch(int(event.line["epoch"]), event.line["dev_f1"])

    try:
        for epoch in read_history(run.folder):
            on_epoch(epoch.epoch, _dev_f1(run, epoch))
        executor.run_all([run], on_event)
    except PrunedError as pruned:
        _leave_pruned(run, str(pruned))
        executor.run_all([run], on_event)  # what breaks a limit should not be sampled again
    training, evaluation = _own_seconds(run.folder)
    spent = Spent(
        training=training - begun[0], evaluation=evaluation - begun[1], measuring=measuring
    )
    epochs = tuple(_dev_f1(run, epoch) for epoch in read_history(run.folder))
    return Outcome(read_record(run.folder / "record.json"), epochs, spent)


def _dev_f1(run: PlannedRun, epoch: Epoch) -> float:
    task = find_task(run.planned.dataset.task)
    return task.selected(epoch.dev, run.plan.protocol.match).f1


def _own_seconds(folder: Path) -> tuple[float, float]:
    """Training and evaluation so far; what an earlier start took does not count as this one's."""
    epochs = read_history(folder)
    return (epochs[-1].seconds, epochs[-1].evaluation_seconds) if epochs else (0.0, 0.0)


def _leave_pruned(run: PlannedRun, why: str) -> None:
    """Leaves the record of a training that was ended early."""
    reason = f"after epoch {len(read_history(run.folder))}: {why}"
    record = run.recorded() or run.planned
    record.model_copy(update={"status": "pruned", "failure": reason}).write(run.folder)
