"""What a report's intervals save by drawing each test set once.

`pytest tests/benchmarks/test_resampling.py -s` prints it: each of a report's intervals resamples
the same test set, and what is drawn depends on its size alone.
"""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from suite.uncertainty import resampling
from tests.benchmarks.floor import timed

SENTENCES = 4006
"""Those of NYT10's test set, the largest of triples."""
ROUNDS = 3


def test_a_test_set_that_was_drawn_before_is_resampled_faster(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = np.random.default_rng(0).integers(1, 4, (2, SENTENCES))
    counts = np.stack([gold - 1, gold, gold], axis=2)

    def again() -> resampling.Resampled:
        return resampling.resample(counts)

    def anew() -> None:
        resampling._kept_blocks.cache_clear()
        again()

    pairs = [(timed(anew), timed(again)) for _ in range(ROUNDS)]
    benchmark.pedantic(again, rounds=ROUNDS)
    ratio = statistics.median(first / second for first, second in pairs)
    benchmark.extra_info["times as fast as drawing anew"] = ratio
    with capsys.disabled():
        print(f"\nresampling a test set that was drawn before: {ratio:.1f} times as fast")
    assert ratio > 1
