"""Fits a system under the protocol and selects an epoch on dev."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor, nn

from runners.runs.checkpoint import Checkpoints, Progress
from runners.runs.energy import EnergyMeter
from runners.runs.environment import load_average, peak_memory_bytes
from runners.runs.evaluate import EncodedSplit, Evaluator
from runners.runs.workbench import Workbench
from runners.tracking.base import Tracker
from suite.errors import SuiteError
from suite.files import write_atomically, write_lines
from suite.modelling.batching import training_batches
from suite.modelling.device import autocast, synchronise
from suite.protocol import Protocol
from suite.records.run import Epoch, Parameters, TrainingCost, read_history
from suite.systems.contract import System
from suite.tasks.registry import find_task
from suite.tasks.scores import Evaluation

PROGRESS = "progress: "
"""Begins the lines of standard output that `tell` writes."""


class Steps(NamedTuple):
    """The steps of an epoch: means of loss, its parts, measures and gradient norm; median time."""

    loss: float
    parts: dict[str, float]
    measures: dict[str, float]
    gradient_norm: float
    seconds: float


class DivergedError(Exception):
    """The loss or its gradient is no longer a finite number."""


class Trainer:
    """The state of one run between its first step and its last."""

    def __init__(self, bench: Workbench, folder: Path, digest: str) -> None:
        self.bench, self.protocol = bench, bench.protocol
        self.history = folder / "history.jsonl"
        self.device = bench.device
        self.system = bench.build().to(self.device)
        started = time.perf_counter()
        self.evaluator = Evaluator(self.system, bench, self.device)
        self.train = EncodedSplit(self.system, bench, bench.dataset.train, self.device)
        self.dev = EncodedSplit(self.system, bench, bench.dataset.dev, self.device)
        self.encode_seconds = time.perf_counter() - started
        self.optimiser = make_optimiser(self.system, self.protocol)
        self.batch_size = self.protocol.examples_per_step(bench.dataset.task)
        self.steps_per_epoch = math.ceil(len(self.train.gold) / self.batch_size)
        self.length = self.protocol.length(self.steps_per_epoch)
        steps = self.steps_per_epoch * self.length
        self.schedule = make_schedule(self.optimiser, self.protocol, steps)
        self.checkpoints = Checkpoints(folder / "checkpoint", digest)
        self.parts: dict[str, Any] = {
            "system": self.system,
            "optimiser": self.optimiser,
            "schedule": self.schedule,
        }
        self.progress = self.checkpoints.resume(self.parts, self.device)
        self.epochs = self._finished_epochs()

    def _finished_epochs(self) -> list[Epoch]:
        if not self.progress.epoch:
            write_atomically(self.history, "")
            return []
        epochs = read_history(self.history.parent)[: self.progress.epoch]
        if len(epochs) < self.progress.epoch:
            raise SuiteError(
                f"holds {len(epochs)} of the {self.progress.epoch} epochs of its checkpoint",
                where=self.history,
                remedy="Delete the run's folder and run the suite again.",
            )
        write_lines(self.history, epochs)
        return epochs

    def fit(self, tracker: Tracker) -> Evaluation:
        """Trains until the protocol's last epoch, or until dev F1 has not risen for its patience.

        The system has the selected weights then.

        Returns:
            The dev scores of the selected epoch.

        Raises:
            DivergedError: the loss or its gradient is not finite.
            SuiteError: the selected weights are gone.
        """
        for epoch in self.epochs:
            tracker.log(epoch)
        p = self.progress
        patience = self.protocol.patience_of(self.steps_per_epoch)
        while p.epoch < self.length and p.epoch - p.best_epoch < patience:
            line = self._epoch()
            self.epochs.append(line)
            if line.best:
                self.checkpoints.save_best(self.system)
            with self.history.open("a") as file:
                file.write(line.model_dump_json() + "\n")
            self.checkpoints.save_last(p, self.parts)
            tracker.log(line)
            tell_epoch(p, self.length, self._f1(line.dev))
        if not self.checkpoints.load_best(self.system):
            raise SuiteError(
                "is gone while its run was under way",
                where=self.checkpoints.best,
                remedy="The same command trains the run again.",
            )
        tell_testing(p, self.length)
        return self.epochs[p.best_epoch - 1].dev

    def _f1(self, dev: Evaluation) -> float:
        return find_task(self.bench.dataset.task).selected(dev, self.protocol.match).f1

    def _epoch(self) -> Epoch:
        self.progress.epoch += 1
        with EnergyMeter(self.device) as meter:
            steps, dev = self._train_and_evaluate()
        self.progress.add(meter.energy)
        return self._note(dev, steps)

    def _train_and_evaluate(self) -> tuple[Steps, Evaluation]:
        p = self.progress
        started = time.perf_counter()
        steps = self.train_epoch()
        synchronise(self.device)
        p.training_seconds += time.perf_counter() - started
        if not (math.isfinite(steps.loss) and math.isfinite(steps.gradient_norm)):
            raise DivergedError(
                f"loss {steps.loss}, gradient norm {steps.gradient_norm} in epoch {p.epoch} "
                f"(step {p.step})"
            )
        started = time.perf_counter()
        dev = self.evaluator.on_dev(self.dev)
        p.evaluation_seconds += time.perf_counter() - started
        return steps, dev

    def train_epoch(self) -> Steps:
        """One epoch's steps."""
        self.system.train()
        sums: defaultdict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=self.device))
        seconds = []
        order = training_batches(
            self.train.lengths, self.batch_size, self.bench.plan.seed, self.progress.epoch
        )
        names: tuple[list[str], list[str]] = ([], [])
        for rows in order:
            started = time.perf_counter()
            followed, names = self.step(rows)
            for name, value in followed.items():
                sums[name] = sums[name] + value
            synchronise(self.device)
            seconds.append(time.perf_counter() - started)
            tell(self.progress, len(seconds), len(order), self.length)
        means = {name: float(value) / len(order) for name, value in sums.items()}
        parts, measures = ({name: means[name] for name in kind} for kind in names)
        return Steps(means["total"], parts, measures, means["norm"], statistics.median(seconds))

    def step(
        self, rows: Int[Tensor, " batch"]
    ) -> tuple[dict[str, Tensor], tuple[list[str], list[str]]]:
        """One step: what the history follows of it, and which of that are parts and measures.

        Args:
            rows: examples of train.
        """
        followed: defaultdict[str, Tensor] = defaultdict(
            lambda: torch.zeros((), device=self.device)
        )
        names: tuple[list[str], list[str]] = ([], [])
        self.optimiser.zero_grad()
        for part in rows.chunk(self.protocol.accumulate):
            # A part's loss is the mean over its sentences; the batch's is that over all.
            weight = len(part) / len(rows)
            with autocast(self.protocol.precision, self.device):
                loss = self.system.loss(self.train.encoded.select(part.to(self.device)))
            (loss.total * weight).backward()
            names = (list(loss.parts), list(loss.measures))
            named = {"total": loss.total.detach(), **loss.parts, **loss.measures}
            for name, value in named.items():
                followed[name] = followed[name] + value * weight
        limit = self.protocol.max_gradient_norm
        norm = nn.utils.clip_grad_norm_(self.system.parameters(), limit or math.inf)
        self.optimiser.step()
        self.schedule.step()
        self.progress.step += 1
        followed["norm"] = norm.detach()
        return followed, names

    def _note(self, dev: Evaluation, steps: Steps) -> Epoch:
        """Updates the progress by an epoch's dev scores and words its line of the history."""
        p = self.progress
        f1 = self._f1(dev)
        elapsed = p.training_seconds + p.evaluation_seconds
        for target in self.protocol.target_f1:
            if f1 >= target and p.seconds_to_target.get(str(target)) is None:
                p.seconds_to_target[str(target)] = elapsed
        best = f1 > p.best_f1
        if best:
            p.best_epoch, p.best_f1 = p.epoch, f1
            p.seconds_to_best, p.steps_to_best = elapsed, p.step
        return Epoch(
            epoch=p.epoch,
            step=p.step,
            seconds=p.training_seconds,
            evaluation_seconds=p.evaluation_seconds,
            step_seconds=steps.seconds,
            loss=steps.loss,
            parts=steps.parts,
            measures=steps.measures,
            gradient_norm=steps.gradient_norm,
            learning_rate=self.schedule.get_last_lr()[0],
            dev=dev,
            best=best,
        )

    def cost(self, load_at_start: float) -> TrainingCost:
        """What the training took."""
        p = self.progress
        targets = {str(t): p.seconds_to_target.get(str(t)) for t in self.protocol.target_f1}
        return TrainingCost(
            epochs=p.epoch,
            best_epoch=p.best_epoch,
            steps=p.step,
            steps_to_best=p.steps_to_best,
            training_seconds=p.training_seconds,
            evaluation_seconds=p.evaluation_seconds,
            seconds_to_best=p.seconds_to_best,
            step_seconds=statistics.median(e.step_seconds for e in self.epochs),
            seconds_to_target=targets,
            encode_seconds=self.encode_seconds,
            peak_memory_bytes=peak_memory_bytes(self.device),
            load_average=(load_at_start, load_average()),
            resumed=p.resumed,
            energy=p.energy,
        )


def make_optimiser(system: System, protocol: Protocol) -> torch.optim.Optimizer:
    """The protocol's optimiser.

    Pretrained parameters have their own learning rate; biases and the scales of norms, which are
    vectors where weights are matrices, do not decay unless the protocol says so.
    """
    pretrained = list(system.pretrained_parameters())
    known = {id(parameter) for parameter in pretrained}
    fresh = [p for p in system.parameters() if p.requires_grad and id(p) not in known]
    of_fresh = protocol.learning_rate * system.learning_rate_factor
    rates = ((fresh, of_fresh), (pretrained, protocol.pretrained_learning_rate))
    groups = []
    for parameters, rate in rates:
        for is_weight in (True, False):
            some = [p for p in parameters if (p.ndim > 1) is is_weight]
            decay = protocol.weight_decay if is_weight or protocol.decay_biases else 0.0
            groups.append({"params": some, "lr": rate, "weight_decay": decay})
    kind = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[protocol.optimiser]
    return kind([g for g in groups if g["params"]], fused=True)


def make_schedule(
    optimiser: torch.optim.Optimizer, protocol: Protocol, steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Linear warm-up, then linear decay to 0 or a constant rate.

    Args:
        optimiser: whose rates are the peaks.
        protocol: names warm-up and decay.
        steps: of a training of all the protocol's epochs.
    """
    warm = max(1, round(protocol.warmup * steps)) if protocol.warmup else 0
    if protocol.warmup_steps is not None:
        warm = protocol.warmup_steps
    steps = protocol.decay_steps or steps

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        if protocol.schedule == "constant":
            return 1.0
        return max(0.0, (steps - step) / max(1, steps - warm))

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def tell(progress: Progress, step: int, steps: int, epochs: int) -> None:
    """One line of progress on standard output, for whoever shows it; ten per epoch."""
    if step % max(1, steps // 10) == 0 or step == steps:
        _tell(progress, epochs, {"epoch": progress.epoch - 1 + step / steps})


def tell_epoch(progress: Progress, epochs: int, f1: float) -> None:
    """The same after an epoch's evaluation, with its dev F1."""
    _tell(progress, epochs, {"epoch": float(progress.epoch), "dev_f1": f1})


def tell_testing(progress: Progress, epochs: int) -> None:
    """The same once there is no epoch more."""
    _tell(progress, epochs, {"epoch": float(progress.epoch), "testing": 1.0})


def _tell(progress: Progress, epochs: int, now: dict[str, float]) -> None:
    line = {**now, "epochs": epochs, "best_f1": max(0.0, progress.best_f1)}
    print(f"{PROGRESS}{json.dumps(line)}", flush=True)


def parameters(system: System) -> Parameters:
    """The system's size; frozen word vectors count in `total` though they are not parameters."""
    trainable = sum(p.numel() for p in system.parameters() if p.requires_grad)
    total = sum(p.numel() for p in system.parameters())
    table = system.word_vectors()
    if table is None:
        return Parameters(total=total, word_vectors=0, trainable=trainable)
    frozen = 0 if isinstance(table, nn.Parameter) else table.numel()
    return Parameters(total=total + frozen, word_vectors=table.numel(), trainable=trainable)
