"""What a run's own work takes: training, evaluating and measuring, in wall clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from runners.executors.local import Children, OnProgress
from suite.records.run import read_history
from suite.records.search import Spent


class TimedChildren:
    """A run's children, timed; what an earlier start of the run took does not count.

    Args:
        folder: of the run.
        children: start its processes.
    """

    def __init__(self, folder: Path, children: Children) -> None:
        self.folder, self.children = folder, children
        self.begun = _own_seconds(folder)
        self.measuring = 0.0

    def train(self, folder: Path, on_progress: OnProgress, lock: int) -> int:
        """Trains; its time is in the run's history, without what its process takes to start."""
        return self.children.train(folder, on_progress, lock)

    def measure(self, folder: Path, size: int) -> int:
        """Measures inference at a batch size."""
        return self._timed(lambda: self.children.measure(folder, size))

    def operate(self, folder: Path) -> int:
        """Measures the operating points."""
        return self._timed(lambda: self.children.operate(folder))

    def _timed(self, child: Callable[[], int]) -> int:
        started = time.monotonic()
        code = child()
        self.measuring += time.monotonic() - started
        return code

    def spent(self) -> Spent:
        """Seconds so far."""
        training, evaluation = _own_seconds(self.folder)
        return Spent(
            training=training - self.begun[0],
            evaluation=evaluation - self.begun[1],
            measuring=self.measuring,
        )


def _own_seconds(folder: Path) -> tuple[float, float]:
    epochs = read_history(folder)
    return (epochs[-1].seconds, epochs[-1].evaluation_seconds) if epochs else (0.0, 0.0)
