"""The bars say what is being done, and how much of the whole is left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.progress import Progress

from runners.cli.progress import TESTING, _Shown
from runners.executors.base import Ended, Measuring, PlannedRun, Progressed, Started
from runners.executors.estimate import Estimate
from runners.executors.forecast import Took
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench
from tests import tiny

TIMED = Estimate(Took(80.0, 20.0), 10.0)


@pytest.fixture
def runs(dataset: Path, tmp_path: Path) -> list[PlannedRun]:
    """Three seeds, of which each is measured at two batch sizes."""
    plan = tiny.make_plan(dataset, batch_sizes=(1, 8))
    run = PlannedRun(plan, tmp_path / "0", planned_record(Workbench(plan), ""))
    seeds = (run.plan.model_copy(update={"seed": seed}) for seed in range(3))
    return [replace(run, plan=p, folder=tmp_path / str(p.seed)) for p in seeds]


def whole(shown: _Shown) -> tuple[float, float, str]:
    """Seconds that are done, seconds in all, and what is said of both."""
    task = shown.bars.tasks[0]
    assert task.total is not None
    return task.completed, task.total, task.fields["state"]


def test_the_whole_is_seconds_and_every_step_of_a_run_is_named(runs: list[PlannedRun]) -> None:
    shown = _Shown(Progress(disable=True), runs, {("fastre", "tiny"): TIMED})
    assert whole(shown) == (0.0, 300.0, "")
    shown.done_before(runs[0])
    assert whole(shown) == (0.0, 200.0, "1 of 3"), "what is done is not waited for"
    run = runs[1]
    line = {"epochs": 5, "best_f1": 0.25}
    steps = [
        (Started(run), 0.0, "preparing"),
        (Progressed(run, {**line, "epoch": 2.5}), 40 * TESTING, "training, epoch 2 of 5, dev F1"),
        (Progressed(run, {**line, "epoch": 3, "testing": 1}), 80 * TESTING, "testing, dev F1 0.25"),
        (Measuring(run, "inference, batch 1"), 80.0, "measuring inference, batch 1"),
        (Measuring(run, "inference, batch 8"), 90.0, "measuring inference, batch 8"),
    ]
    for event, done, state in steps:
        shown(event)
        assert whole(shown)[0] == pytest.approx(done), state
        assert shown.bars.tasks[-1].fields["state"].startswith(state)
    shown(Ended(run, run.planned))
    assert whole(shown) == (100.0, 200.0, "2 of 3")
    shown(Started(runs[2]))
    shown(Ended(runs[2], run.planned))
    assert whole(shown) == (200.0, 200.0, "writing the report")


def test_without_an_estimate_runs_count_as_equal(runs: list[PlannedRun]) -> None:
    shown = _Shown(Progress(disable=True), runs, {})
    shown(Started(runs[0]))
    shown(Progressed(runs[0], {"epoch": 5, "epochs": 5, "best_f1": 0.5}))
    done, total, _ = whole(shown)
    assert total == pytest.approx(3)
    assert 0.8 < done < 1
    shown(Ended(runs[0], runs[0].planned))
    assert whole(shown)[0] == pytest.approx(1)


def test_a_run_that_was_not_timed_counts_as_the_others_do(runs: list[PlannedRun]) -> None:
    other = replace(TIMED, took=Took(10.0, 0.0))
    timed = {("casrel", "tiny"): TIMED, ("pmei", "tiny"): other, ("fastre", "tiny"): "no memory"}
    assert whole(_Shown(Progress(disable=True), runs, timed))[1] == pytest.approx(3 * 55)
