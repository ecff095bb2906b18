"""Fits a system that has nothing to train: it looks at train once, and no epoch is selected."""

from __future__ import annotations

import time
from pathlib import Path

from runners.runs.energy import EnergyMeter
from runners.runs.environment import load_average, peak_memory_bytes
from runners.runs.evaluate import EncodedSplit, Evaluator
from runners.runs.workbench import Workbench
from runners.tracking.base import Tracker
from suite.files import write_atomically
from suite.modelling.device import synchronise
from suite.records.run import TrainingCost
from suite.systems.capabilities import Memorises
from suite.tasks.registry import find_task
from suite.tasks.scores import Evaluation


class Memoriser:
    """The state of a run whose system memorises, as `Trainer` is that of one that is trained.

    A run that was cut off begins anew: it takes seconds.
    """

    def __init__(self, bench: Workbench, folder: Path) -> None:
        self.bench, self.device = bench, bench.device
        self.history = folder / "history.jsonl"
        self.system = bench.build().to(self.device)
        self.evaluator = Evaluator(self.system, bench, self.device)
        self.train_seconds = self.encode_seconds = self.evaluation_seconds = 0.0

    def fit(self, tracker: Tracker | None = None) -> Evaluation:
        """Has the system keep what train says; the dev scores, at which thresholds are fitted.

        Args:
            tracker: as that of `Trainer.fit`; hears of no epoch, as there is none.
        """
        del tracker
        assert isinstance(self.system, Memorises)
        write_atomically(self.history, "")
        examples = self.bench.examples(self.bench.dataset.train)
        with EnergyMeter(self.device) as meter:
            begun = time.perf_counter()
            self.system.memorise(examples)
            memorised = time.perf_counter()
            self.train = EncodedSplit(
                self.system, self.bench, self.bench.dataset.train, self.device
            )
            self.dev = EncodedSplit(self.system, self.bench, self.bench.dataset.dev, self.device)
            synchronise(self.device)
            encoded = time.perf_counter()
            found = self.evaluator.on_dev(self.dev)
        self.energy = meter.energy
        self.train_seconds = memorised - begun
        self.encode_seconds = encoded - memorised
        self.evaluation_seconds = time.perf_counter() - encoded
        self.f1 = find_task(self.bench.dataset.task).selected(found, self.bench.protocol.match).f1
        return found

    def cost(self, load_at_start: float) -> TrainingCost:
        """What it took, without epochs and steps."""
        seconds = self.train_seconds + self.evaluation_seconds
        targets = self.bench.protocol.target_f1
        return TrainingCost(
            epochs=0,
            best_epoch=0,
            steps=0,
            steps_to_best=0,
            training_seconds=self.train_seconds,
            evaluation_seconds=self.evaluation_seconds,
            seconds_to_best=seconds,
            step_seconds=None,
            seconds_to_target={str(t): seconds if self.f1 >= t else None for t in targets},
            encode_seconds=self.encode_seconds,
            peak_memory_bytes=peak_memory_bytes(self.device),
            load_average=(load_at_start, load_average()),
            resumed=0,
            energy=self.energy,
        )
