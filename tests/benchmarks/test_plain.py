"""FastRE's training step beside the plain version of the same equations, in one run."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from runners.runs.train import Trainer
from suite.fastre.system import FastRE
from suite.modelling.batching import evaluation_batches
from suite.modelling.cascade import CascadeBatch
from tests.benchmarks.floor import timed
from tests.benchmarks.plain_fastre import PlainFastRE
from tests.benchmarks.trainers import Trainers

ROUNDS = 7


@pytest.fixture(scope="module")
def trainer(trainers: Trainers) -> Trainer:
    return trainers["fastre"]


def _batches(trainer: Trainer) -> list[CascadeBatch]:
    """The training sentences in batches of like lengths, as training has them."""
    encoded = trainer.train.encoded
    return [
        encoded.select(rows) for rows in evaluation_batches(encoded.lengths, trainer.batch_size)
    ]


def test_both_give_one_loss_and_one_gradient(trainer: Trainer) -> None:
    system = trainer.system.eval()
    assert isinstance(system, FastRE)
    plain = PlainFastRE(system).eval()
    batch = _batches(trainer)[0]
    found = []
    for loss in (system.loss(batch).total, plain(batch)):
        system.zero_grad()
        loss.backward()
        gradients = [p.grad.clone() for p in system.parameters() if p.grad is not None]
        found.append((loss.detach(), gradients))
    (ours, mine), (theirs, others) = found
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=0.0)
    assert len(mine) == len(others)
    for one, other in zip(mine, others, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_a_step_takes_less_than_the_plain_one(
    benchmark: BenchmarkFixture, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forward, backward, clipping and optimiser over the same batches, in turns."""
    system, batches = trainer.system.train(), _batches(trainer)
    assert isinstance(system, FastRE)
    plain = PlainFastRE(system).train()

    def steps(loss: Callable[[CascadeBatch], Tensor]) -> float:
        def all_of_them() -> None:
            for batch in batches:
                trainer.optimiser.zero_grad()
                loss(batch).backward()
                clip_grad_norm_(system.parameters(), 1.0)
                trainer.optimiser.step()

        return timed(all_of_them)

    def ours() -> float:
        return steps(lambda batch: system.loss(batch).total)

    ours(), steps(plain)  # the first ones take memory that all others have
    pairs = [(ours(), steps(plain)) for _ in range(ROUNDS)]
    benchmark.pedantic(ours, rounds=1)
    ratio = statistics.median(theirs / own for own, theirs in pairs)
    benchmark.extra_info["times as fast as the plain step"] = ratio
    own, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    count = len(trainer.train.encoded)
    with capsys.disabled():
        print(
            f"\nFastRE's step: {count / own:.0f} sentences per second, the plain one "
            f"{count / theirs:.0f}: {ratio:.2f} times as fast (median of {ROUNDS} pairs)"
        )
    assert ratio > 1
