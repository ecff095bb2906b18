"""The floor under a system's time: its floating-point operations at the machine's best rate."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from suite.modelling.batch import Batch
from suite.systems.contract import System, predict
from suite.tasks.examples import Example

ROUNDS = 5
SAMPLE = 8
"""Examples whose operations are counted, and stand for all: to count takes longer than to train."""


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

    They are those of a few examples, one from the middle of each of as many equal parts of all by
    length: what an example takes grows with its length and the square of it. Attention and LSTMs
    are counted in their unfused forms: of the CPU's fused kernels the counter knows nothing.
    """
    ordered = sorted(examples, key=lambda e: len(e.words))
    size = min(SAMPLE, len(ordered))
    middles = [ordered[(2 * i + 1) * len(ordered) // (2 * size)] for i in range(size)]
    encoded = system.encode(middles)
    counts = [
        _count(system, encoded.select(torch.tensor([i])), backward=backward) for i in range(size)
    ]
    return sum(counts) / size * len(ordered)


def _count(system: System, batch: Batch, *, backward: bool) -> float:
    counter = FlopCounterMode(display=False)
    with pytest.MonkeyPatch.context() as patch, counter, sdpa_kernel(SDPBackend.MATH):
        patch.setattr(torch.backends.mkldnn, "enabled", False)
        if backward:
            system.train().loss(batch).total.backward()
        else:
            with torch.no_grad():
                predict(system.eval(), batch)
    system.zero_grad()
    return float(counter.get_total_flops())


def share(work: float, seconds: float, rate: float) -> float:
    """Share of the floor's rate: 1 where every second went into the operations at full rate."""
    return work / seconds / rate


def timed(action: Callable[[], object]) -> float:
    """Seconds of wall clock."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started
