"""The floor under a system's time: its floating-point operations at the machine's best rate."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from suite.modelling.batch import Batch
from suite.systems.contract import System, predict
from suite.tasks.examples import Example

ROUNDS = 15


def matrix_rate() -> float:
    """Floating-point operations per second of a 4096 x 1024 x 1024 product, median of some."""
    a, b = torch.randn(4096, 1024), torch.randn(1024, 1024)
    out = torch.empty(4096, 1024)
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        torch.mm(a, b, out=out)
        seconds.append(time.perf_counter() - started)
    return 2 * 4096 * 1024 * 1024 / statistics.median(seconds)


def operations(system: System, examples: Sequence[Example], *, backward: bool) -> float:
    """Operations of each example by itself, summed: padding is not part of the work.

    In training, examples with as many words, subwords, heads and tails cost the same and are
    counted once. Attention is counted in its unfused form, since the counter does not know the
    fused kernel of the CPU.
    """
    encoded = system.encode(examples)
    counted: dict[tuple[int, ...], float] = {}
    total = 0.0
    for i in range(len(examples)):
        kind = tuple(int(column.lengths[i]) for column in encoded.columns())
        if kind not in counted or not backward:
            counted[kind] = _count(system, encoded.select(torch.tensor([i])), backward=backward)
        total += counted[kind]
    return total


def _count(system: System, batch: Batch, *, backward: bool) -> float:
    counter = FlopCounterMode(display=False)
    with counter, sdpa_kernel(SDPBackend.MATH):
        if backward:
            system.train().loss(batch).total.backward()
        else:
            with torch.no_grad():
                predict(system.eval(), batch)
    system.zero_grad()
    return float(counter.get_total_flops())


def share(work: float, seconds: float, rates: Sequence[float]) -> float:
    """Share of the floor's rate: 1 where every second went into the operations at full rate."""
    return work / seconds / statistics.median(rates)


def timed(action: Callable[[], object]) -> float:
    """Seconds of wall clock."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
