"""A few steps of a run, timed on its own data, from which the whole of it is estimated.

What is timed is what a run does: the trainer's steps, the evaluator's pass over dev, the stages of
inference. Examples are taken evenly over the lengths of their split, so that a batch of the sample
is as a batch of the split.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from runners.runs.evaluate import EncodedSplit
from runners.runs.inference import batches, predict_once, stage_seconds
from runners.runs.memorise import Memoriser
from runners.runs.operating_points import BATCH
from runners.runs.run import Fitting
from runners.runs.train import Trainer
from runners.runs.workbench import Workbench
from suite.datasets import Split
from suite.files import StrictModel, write_atomically
from suite.modelling.batching import training_batches
from suite.modelling.device import autocast, synchronise
from suite.systems.capabilities import ExitsEarly, Memorises
from suite.systems.contract import System, given
from suite.tasks.examples import Example

STEPS = 12
"""Training steps that are timed at most."""
STEP_SECONDS, EVALUATION_SECONDS, INFERENCE_SECONDS = 1.2, 0.4, 0.3
"""What steps, a pass over some of dev, and inference at one batch size may take; one call of each
is timed, however long it takes."""
MOST_GROUPS = 40
"""Batches of inference that are timed at most, at each size."""


class Probe(StrictModel):
    """What was timed, in seconds of wall clock, and how much of it a run does.

    Attributes:
        epochs, steps_per_epoch: at most; 0 where nothing is trained.
        examples: split -> how many it has; `measured` is the one that inference is timed on.
        encode, memorise, ceiling, evaluate: per example.
        steps: of each training step that was timed; empty where nothing is trained.
        inference: batch size -> of each batch.
        operating: per example, mean over the operating points; None where there are none.
        points: how many operating points there are.
        seconds: that all of this took.
    """

    epochs: int
    steps_per_epoch: int
    examples: dict[str, int]
    encode: float
    memorise: float
    ceiling: float
    evaluate: float
    steps: tuple[float, ...]
    inference: dict[int, tuple[float, ...]]
    operating: float | None
    points: int
    seconds: float


def probe(bench: Workbench, folder: Path) -> Probe:
    """Builds the run's system and times what it does.

    Args:
        bench: of the run.
        folder: for what a trainer leaves; nothing of it is kept.
    """
    bench.load()
    begun = time.perf_counter()
    size = bench.protocol.examples_per_step(bench.dataset.task)
    part = _with(bench, train=STEPS * size, dev=size)
    trained = not issubclass(bench.system, Memorises)
    fitting: Fitting = Trainer(part, folder, "probe") if trained else Memoriser(part, folder)
    if isinstance(fitting, Trainer):
        steps, memorise = _steps(fitting), 0.0
    else:
        fitting.fit()
        steps, memorise = [], fitting.train_seconds / len(fitting.train.gold)
    per_example = sum(steps) / len(steps) / size if steps else 0.0
    evaluate = _evaluate(bench, fitting, per_example)
    examples = len(fitting.train.gold) + len(fitting.dev.gold)
    started = time.perf_counter()
    fitting.evaluator.ceiling(fitting.dev)
    ceiling = (time.perf_counter() - started) / len(fitting.dev.gold)
    split = bench.dataset.test if bench.plan.test else bench.dataset.dev
    counts = {s.name: len(s.examples) for s in bench.dataset.splits}
    per_epoch = -(-counts["train"] // size)
    operating, points = _operating(bench, fitting.system)
    return Probe(
        epochs=bench.protocol.length(per_epoch) if trained else 0,
        steps_per_epoch=per_epoch if trained else 0,
        examples={**counts, "measured": len(split.examples)},
        encode=fitting.encode_seconds / examples,
        memorise=memorise,
        ceiling=ceiling,
        evaluate=evaluate,
        steps=tuple(steps),
        inference=_inference(bench, fitting.system, split),
        operating=operating,
        points=points,
        seconds=time.perf_counter() - begun,
    )


def probe_file(folder: Path) -> Path:
    """Where the process of a probe leaves it."""
    return folder / "probe.json"


def leave_probe(folder: Path, bench: Workbench) -> None:
    """Leaves a probe in its folder."""
    write_atomically(probe_file(folder), probe(bench, folder).model_dump_json())


def timed(
    calls: Sequence[Callable[[], object]], budget: float, device: torch.device
) -> list[float]:
    """Seconds of each of some calls, of as many as the budget has room for and of one at least.

    The first is made twice, where there is room: once it also pays for what is done once.
    """
    found: list[float] = []
    left = budget
    for call in (calls[0], *calls):
        started = time.perf_counter()
        call()
        synchronise(device)
        found.append(time.perf_counter() - started)
        left -= found[-1]
        if left <= 0:
            break
    return found[1:] or found


def _with(bench: Workbench, train: int, dev: int) -> Workbench:
    """The bench with so many of its examples, and with the resources of all."""
    whole = bench.dataset
    part = replace(whole, train=_some(whole.train, train), dev=_some(whole.dev, dev))
    return Workbench(bench.plan, part, bench.shelf)


def _some(split: Split, count: int) -> Split:
    """So many examples of a split, evenly over their lengths."""
    ordered = sorted(split.examples, key=lambda example: len(example.words))
    count = min(count, len(ordered))
    taken = (ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count))
    return replace(split, examples=tuple(taken))


def _steps(trainer: Trainer) -> list[float]:
    trainer.system.train()
    order = training_batches(trainer.train.lengths, trainer.batch_size, trainer.bench.plan.seed, 1)
    return timed([partial(trainer.step, rows) for rows in order], STEP_SECONDS, trainer.device)


def _evaluate(bench: Workbench, fitting: Fitting, per_example: float) -> float:
    """Seconds of an evaluation per example of dev, by as many as there is time for.

    Args:
        bench: with all of dev.
        fitting: whose system is evaluated.
        per_example: what one takes in training, which is more.
    """
    count = max(1, int(EVALUATION_SECONDS / per_example)) if per_example else MOST_GROUPS
    part = _with(bench, train=1, dev=count)
    split = EncodedSplit(fitting.system, part, part.dataset.dev, fitting.device)
    started = time.perf_counter()
    fitting.evaluator.on_dev(split)
    return (time.perf_counter() - started) / len(split.gold)


def _inference(bench: Workbench, system: System, split: Split) -> dict[int, tuple[float, ...]]:
    system.eval()
    found = {}
    for size in bench.plan.batch_sizes:
        groups = _groups(bench, system, split, size)
        with torch.inference_mode(), autocast(bench.protocol.precision, bench.device):
            calls = [partial(stage_seconds, system, group, bench.device) for group in groups]
            found[size] = tuple(timed(calls, INFERENCE_SECONDS, bench.device))
    return found


def _groups(bench: Workbench, system: System, split: Split, size: int) -> list[list[Example]]:
    """Some of the batches that inference is timed on, in an order of which any part is fair."""
    held = list(batches([given(system, e) for e in bench.examples(split)], size))
    groups = held[:: max(1, len(held) // MOST_GROUPS)]
    random.Random(0).shuffle(groups)
    return groups


def _operating(bench: Workbench, system: System) -> tuple[float | None, int]:
    """Seconds per example, mean over the operating points, and how many there are."""
    if not (bench.plan.test and isinstance(system, ExitsEarly)):
        return None, 0
    points = system.operating_points(bench.settings)
    if not points:
        return None, 0
    group = _groups(bench, system, bench.dataset.test, BATCH)[0]
    seconds = []
    with torch.inference_mode(), autocast(bench.protocol.precision, bench.device):
        for point in points:
            system.operate_at(point)
            call = partial(predict_once, system, group, bench.device)
            seconds += timed([call], INFERENCE_SECONDS / len(points), bench.device)[-1:]
    return sum(seconds) / len(seconds) / len(group), len(points)
