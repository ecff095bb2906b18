"""Runs in processes forked from this one, in which torch, data and resources are loaded.

A search's trials take a minute each, and a fresh process takes seconds to load the same again. On
the CPU alone: what a process holds on a GPU does not survive the fork.
"""

from __future__ import annotations

import multiprocessing

from runners.executors.local import LocalExecutor
from runners.executors.processes import ProcessesOf
from runners.runs.workbench import Workbench


def fork_executor(bench: Workbench, *, sole: bool) -> LocalExecutor:
    """Carries out runs of one workbench in forks of this process.

    Args:
        bench: of the runs, loaded here. This process must not have used torch's thread pool, which
            no fork survives.
        sole: whether no other process of the search works on this machine.
    """
    bench.load()
    return LocalExecutor(1, ProcessesOf(multiprocessing.get_context("fork"), bench), sole=sole)
