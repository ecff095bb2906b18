"""How long runs will take, by a few steps of each system on its own data."""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.executors import work
from runners.executors.base import PlannedRun
from runners.executors.forecast import Took, forecast
from runners.executors.leavings import collected, ending
from runners.executors.lock import locked
from runners.executors.processes import Processes
from runners.runs.inference import BUDGET_SECONDS, PASSES, WARM_UP_BATCHES
from runners.runs.operating_points import PASSES as OPERATING_PASSES
from runners.runs.probe import Probe, probe_file
from suite.files import write_atomically
from suite.modelling.pretrained import ABSENT

DEVIATIONS = 2.0
"""Standard errors on either side that a spread covers."""


@dataclass(frozen=True)
class Estimate:
    """What one run would take, of all its epochs.

    Attributes:
        took: seconds of wall clock.
        spread: seconds on either side, from how much the steps that were timed differ.
    """

    took: Took
    spread: float

    @property
    def seconds(self) -> float:
        """In all."""
        return self.took.training + self.took.measuring


@dataclass(frozen=True)
class Whole:
    """What several runs would take, with the least and the most that the spread allows."""

    seconds: float
    least: float
    most: float


def can_be_estimated(run: PlannedRun) -> bool:
    """Whether all that it needs is here: nothing is fetched or read for long for an estimate."""
    facts = run.planned.system
    return ABSENT not in (facts.pretrained or "") and (
        run.plan.vectors is None or facts.vectors is not None
    )


def estimate(run: PlannedRun, processes: Processes) -> Estimate | str:
    """Times a few steps of a run in a process of its own; or why that was not possible.

    What the process took besides, to start, to load the data and what the system is built from, is
    what each process of the run takes.
    """
    with tempfile.TemporaryDirectory(prefix="estimate-") as name:
        folder = Path(name)
        plan = run.plan.model_copy(update={"tracker": "none"})
        write_atomically(folder / "run.json", plan.model_dump_json())
        with locked(folder) as lock:
            started = time.monotonic()
            found = collected(
                probe_file(folder),
                Probe,
                lambda: processes.call(work.probe, folder, lock=lock, encoder=run.has_encoder),
            )
            seconds = time.monotonic() - started
        if not isinstance(found, Probe):
            return ending(found, folder)[1].removesuffix(" (see log.txt)")
        return estimate_of(
            found, max(0.0, seconds - found.seconds), swaps=plan.swap_names is not None
        )


def estimate_of(found: Probe, start: float, *, swaps: bool = False) -> Estimate:
    """What a run takes of which some was timed.

    Args:
        found: what was timed.
        start: seconds of each process until it does something.
        swaps: whether test is scored once more, with other names.
    """
    examples, rounds = found.examples, max(1, found.epochs)
    splits = examples["train"] + examples["dev"] + examples["test"]
    steps = found.epochs * found.steps_per_epoch
    training = (
        start
        + splits * (found.encode + found.ceiling)
        + examples["train"] * found.memorise
        + (steps * statistics.fmean(found.steps) if steps else 0.0)
        # After each epoch; in the end dev again, for the model's thresholds, and test.
        + found.evaluate * ((rounds + 1) * examples["dev"] + examples["test"])
    )
    spreads = [steps * _error(found.steps)]
    measuring = 0.0
    for size, seconds in found.inference.items():
        groups = math.ceil(examples["measured"] / size)
        one = statistics.fmean(seconds)
        passes = min(PASSES, math.ceil(BUDGET_SECONDS / max(groups * one, 1e-9)))
        calls = passes * groups + len(range(0, groups, max(1, groups // WARM_UP_BATCHES)))
        measuring += start + calls * one
        spreads.append(calls * _error(seconds))
    if found.operating is not None:
        each = examples["dev"] + OPERATING_PASSES * examples["test"]
        measuring += start + found.points * each * found.operating
    if swaps:
        measuring += start + examples["test"] * (found.encode + found.evaluate)
    return Estimate(Took(training, measuring), DEVIATIONS * math.hypot(*spreads))


def of_run(found: Estimate, run: PlannedRun) -> Estimate:
    """What is left of a run: where it is trained, its measurements alone."""
    if run.trained() is None:
        return found
    measuring = found.took.measuring
    return Estimate(Took(0.0, measuring), found.spread * measuring / max(found.seconds, 1e-9))


def _error(seconds: Sequence[float]) -> float:
    """The standard error of the mean; of a single call, as if it might be half as long again."""
    if len(seconds) < 2:
        return sum(seconds) / 2
    return statistics.stdev(seconds) / math.sqrt(len(seconds))


def whole(estimates: Sequence[Estimate], workers: int) -> Whole:
    """What runs take, so many trainings at a time; what measures speed runs alone.

    Args:
        estimates: one for each run, in order; at least one.
        workers: as `LocalExecutor` has them.
    """

    def seconds(sign: float) -> float:
        trainings, measuring = [], 0.0
        for one in estimates:
            factor = max(0.0, 1 + sign * one.spread / max(one.seconds, 1e-9))
            trainings.append(Took(factor * one.took.training, 0.0))
            measuring += factor * one.took.measuring
        return forecast(trainings, workers).seconds + measuring

    return Whole(seconds(0), seconds(-1), seconds(1))


def estimates(
    runs: Sequence[PlannedRun], processes: Processes, on_start: Callable[[PlannedRun], None]
) -> dict[tuple[str, str], Estimate | str]:
    """System and dataset -> what one of its runs would take, or why that is not known.

    Args:
        runs: that are to be done.
        processes: to time steps in.
        on_start: hears of which run steps are about to be timed.
    """
    found: dict[tuple[str, str], Estimate | str] = {}
    for run in runs:
        key = run.planned.system.key, run.planned.dataset.name
        if key not in found and can_be_estimated(run):
            on_start(run)
            found[key] = estimate(run, processes)
    return found
