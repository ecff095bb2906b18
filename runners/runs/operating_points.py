"""What a system trades for speed, measured on a trained run.

All operating points are measured in one fresh process and in turns, pass by pass, so that a busy
moment of the machine strikes them alike.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from runners.runs.environment import place
from runners.runs.inference import WARM_UP_BATCHES, batches, load_system, predict_once
from runners.runs.workbench import Workbench
from suite.datasets import Split
from suite.files import write_atomically
from suite.modelling.device import autocast, synchronise
from suite.records.run import OperatingCost, OperatingCurve
from suite.systems.capabilities import ExitsEarly, OperatingPoint
from suite.systems.contract import System, given
from suite.tasks.examples import Example
from suite.tasks.items import Prediction
from suite.tasks.registry import find_task
from suite.tasks.scores import Scores
from suite.tasks.scoring import evaluate

PASSES = 2
"""Timed passes over test; the first one is scored as well."""
BATCH = 32
"""Sentences at once: with one, no sentence that has left makes room for another."""


class Bench:
    """A trained system that is set to one operating point after the other."""

    def __init__(self, bench: Workbench, system: System) -> None:
        assert isinstance(system, ExitsEarly)
        self.bench, self.system, self.exits = bench, system.eval(), system
        self.device = bench.device
        self.dev, self.test = (self._held(s) for s in (bench.dataset.dev, bench.dataset.test))

    def _held(self, split: Split) -> list[list[Example]]:
        return list(batches([given(self.system, e) for e in self.bench.examples(split)], BATCH))

    def curve(self, points: Sequence[OperatingPoint]) -> OperatingCurve:
        """Accuracy, layers and wall clock of each point."""
        seconds: list[list[float]] = [[] for _ in points]
        costs = []
        with torch.inference_mode(), autocast(self.bench.protocol.precision, self.device):
            for group in self.test[:: max(1, len(self.test) // WARM_UP_BATCHES)]:
                predict_once(self.system, group, self.device)
            for point, taken in zip(points, seconds, strict=True):
                costs.append(self._cost(point, taken))
            for _ in range(PASSES - 1):
                for point, taken in zip(points, seconds, strict=True):
                    self.exits.operate_at(point)
                    self._pass(self.test, taken)
        timed = zip(costs, seconds, strict=True)
        done = (cost.model_copy(update={"seconds": tuple(taken)}) for cost, taken in timed)
        return OperatingCurve(points=tuple(done), place=place(self.device))

    def _cost(self, point: OperatingPoint, seconds: list[float]) -> OperatingCost:
        dataset = self.bench.dataset
        self.exits.operate_at(point)
        dev = self._scores(dataset.dev, self._pass(self.dev, []))
        self.exits.operate_at(point)  # counts the layers of test alone
        test = self._scores(dataset.test, self._pass(self.test, seconds))
        return OperatingCost(
            rule=point.rule,
            value=point.value,
            batch_size=BATCH,
            dev=dev,
            test=test,
            layers=self.exits.layers_used(),
            seconds=(),
        )

    def _scores(self, split: Split, found: Mapping[str, list[Prediction]]) -> Scores:
        dataset = self.bench.dataset
        predictions = [found[e.id] for e in split.examples]
        evaluation = evaluate(split.examples, predictions, dataset.task, dataset.matching)
        return find_task(dataset.task).selected(evaluation, self.bench.protocol.match)

    def _pass(
        self, held: Sequence[list[Example]], seconds: list[float]
    ) -> dict[str, list[Prediction]]:
        """Predicts every example, by id, and notes how long that took."""
        started = time.perf_counter()
        rows = [predict_once(self.system, group, self.device) for group in held]
        synchronise(self.device)
        seconds.append(time.perf_counter() - started)
        return {
            e.id: row
            for group, found in zip(held, rows, strict=True)
            for e, row in zip(group, found, strict=True)
        }


def curve_file(folder: Path) -> Path:
    """Where the process leaves its figures."""
    return folder / "operating.json"


def leave_curve(folder: Path, workbench: Workbench) -> None:
    """Leaves the figures of a trained run's operating points in its folder."""
    bench = Bench(workbench, load_system(folder, workbench))
    points = bench.exits.operating_points(workbench.settings)
    write_atomically(curve_file(folder), bench.curve(points).model_dump_json())
