"""FastRE's training step beside the plain version of the same equations, in one run."""

from __future__ import annotations

import statistics

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch.nn.utils import clip_grad_norm_

from runners.runs.train import Trainer
from suite.fastre.system import FastRE
from suite.modelling.cascade import CascadeBatch
from tests.benchmarks.floor import timed
from tests.benchmarks.plain_fastre import PlainFastRE
from tests.benchmarks.trainers import Trainers

ROUNDS = 7


@pytest.fixture(scope="module")
def trainer(trainers: Trainers) -> Trainer:
    return trainers["fastre"]


def _batches(trainer: Trainer) -> list[CascadeBatch]:
    size, encoded = trainer.batch_size, trainer.train.encoded
    starts = range(0, len(encoded) - size + 1, size)
    return [encoded.select(torch.arange(start, start + size)) for start in starts]


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

    def steps(which: str) -> None:
        for batch in batches:
            trainer.optimiser.zero_grad()
            (system.loss(batch).total if which == "ours" else plain(batch)).backward()
            clip_grad_norm_(system.parameters(), 1.0)
            trainer.optimiser.step()

    steps("ours")
    steps("plain")  # the first ones take memory that all others have
    pairs = [(timed(lambda: steps("ours")), timed(lambda: steps("plain"))) for _ in range(ROUNDS)]
    benchmark.pedantic(lambda: steps("ours"), rounds=1)
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    benchmark.extra_info["times as fast as the plain step"] = ratio
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    count = len(batches) * trainer.batch_size
    with capsys.disabled():
        print(
            f"\nFastRE's step: {count / ours:.0f} sentences per second, the plain one "
            f"{count / theirs:.0f}: {ratio:.2f} times as fast (median of {ROUNDS} pairs)"
        )
    assert ratio > 1
