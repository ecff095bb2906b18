"""What the processes of a run do: train, measure inference and operating points, swap names.

One times a few steps alone. Each takes the run's folder, which holds its plan, and a workbench
where one was loaded before.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

import torch

from runners.runs.inference import leave_cost
from runners.runs.operating_points import leave_curve
from runners.runs.plan import read_run_plan
from runners.runs.probe import leave_probe
from runners.runs.run import run
from runners.runs.swapped import leave_swapped
from runners.runs.workbench import Shelf, Workbench
from suite.errors import SuiteError

STOPS = (signal.SIGINT, signal.SIGTERM)


def train(folder: Path, bench: Workbench | None) -> int:
    """Trains and tests: 0 where a record was left, 2 where the plan cannot be followed."""
    for number in STOPS:
        signal.signal(number, _interrupt)
    try:
        plan = read_run_plan(folder)
        torch.set_num_threads(plan.protocol.threads)
        run(folder, bench or Workbench(plan))
    except SuiteError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # A second one, and Ctrl-C comes with the suite's own, would cut off the record.
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def measure(folder: Path, bench: Workbench | None, size: int) -> int:
    """Measures inference at a batch size and leaves its cost, or why there is none."""

    def make_bench() -> Workbench:
        plan = read_run_plan(folder)
        torch.set_num_threads(plan.protocol.threads)
        return bench or Workbench(plan, shelf=Shelf(trees_cached=False))

    leave_cost(folder, size, make_bench)
    return 0


def operate(folder: Path, bench: Workbench | None) -> int:
    """Measures the operating points; a traceback in the log says why a figure is not there."""
    plan = read_run_plan(folder)
    torch.set_num_threads(plan.protocol.threads)
    leave_curve(folder, bench or Workbench(plan, shelf=Shelf(trees_cached=False)))
    return 0


def probe(folder: Path, bench: Workbench | None) -> int:
    """Times a few steps, by which the run is estimated; a traceback in the log says why not."""
    plan = read_run_plan(folder)
    torch.set_num_threads(plan.protocol.threads)
    leave_probe(folder, bench or Workbench(plan, shelf=Shelf(trees_cached=False)))
    return 0


def swap(folder: Path, bench: Workbench | None) -> int:
    """Scores test with other names of its entities, or leaves why there are no scores."""
    plan = read_run_plan(folder)
    torch.set_num_threads(plan.protocol.threads)
    assert plan.swap_names is not None  # or nobody asked for it
    leave_swapped(folder, plan.swap_names, lambda: bench or Workbench(plan))
    return 0
