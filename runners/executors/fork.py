"""Processes of a run that are forked from one in which torch, data and resources are loaded.

A search's trials take a minute each, and a fresh process takes seconds to load the same again. On
the CPU alone: what a process holds on a GPU does not survive the fork.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from runners.executors.local import LOG, OnProgress, followed
from runners.runs.inference import leave_cost
from runners.runs.run import train_here
from runners.runs.workbench import Workbench

_forks = multiprocessing.get_context("fork")


class Forked:
    """Starts a run's processes from this one.

    Args:
        bench: of the run, loaded here. This process must not have used torch's thread pool, which
            no fork survives.
    """

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench

    def train(self, folder: Path, on_progress: OnProgress, lock: int) -> int:
        """Trains in a fork, which holds the folder's lock as this process does."""
        del lock  # every descriptor is inherited
        reading, writing = os.pipe()
        alive, held = os.pipe()

        def work() -> int:
            os.close(held)
            os.dup2(writing, 1)
            return train_here(folder, alive, lambda: self.bench)

        child = self._fork(folder, work)
        os.close(writing)
        try:
            with os.fdopen(reading) as lines:
                return followed(lines, on_progress, child.terminate, lambda: _end_of(child))
        finally:
            os.close(alive)
            os.close(held)

    def measure(self, folder: Path, size: int) -> int:
        """Measures inference in a fork."""

        def work() -> int:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            leave_cost(folder, size, lambda: self.bench)
            return 0

        return _end_of(self._fork(folder, work))

    def operate(self, folder: Path) -> int:
        """Never asked for: operating points are of test, which trials leave alone."""
        raise NotImplementedError

    def _fork(self, folder: Path, work: Callable[[], int]) -> multiprocessing.Process:
        child = _forks.Process(target=_in_the_fork, args=(folder, self.bench, work))
        child.start()
        return child  # type: ignore[return-value]


def _in_the_fork(folder: Path, bench: Workbench, work: Callable[[], int]) -> None:
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    torch.set_num_threads(bench.protocol.threads)
    sys.exit(work())


def _end_of(child: multiprocessing.Process) -> int:
    child.join()
    assert child.exitcode is not None
    return child.exitcode
