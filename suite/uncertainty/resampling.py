"""Micro F1 of runs on one test set, and on test sets drawn from it, the same ones for every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int, UInt16

Counts: TypeAlias = Int[np.ndarray, "items 3"]
"""Correct, predicted and gold of each test item."""
SAMPLES = 10_000
"""How often a test set is drawn."""
_CHUNK = 2**21
"""Drawn multiplicities held at once."""
_KEPT = 2**26
"""Those of one test set that are kept for the next call, at two bytes each: one report draws the
same test set a hundred times, and drawing takes some forty times as long as summing."""


def micro_f1(totals: Int[np.ndarray, "*runs 3"]) -> Float[np.ndarray, "*runs"]:
    """Micro F1 of summed correct, predicted and gold; 0 where there is nothing to find or found."""
    correct, predicted, gold = np.moveaxis(totals, -1, 0)
    found = predicted + gold
    f1: Float[np.ndarray, "*runs"] = np.zeros(found.shape)
    np.divide(2.0 * correct, found, out=f1, where=found > 0)
    return f1


def influence(counts: Int[np.ndarray, "runs items 3"]) -> Float[np.ndarray, "runs items"]:
    """How far each test item pulls a run's micro F1, in F1; the items' mean is 0.

    F1 is the ratio of 2 correct to predicted + gold, whose variance over test sets is that of the
    mean of these values (Davison and Hinkley, 1997, section 2.7.2 on ratios).
    """
    correct, found = 2.0 * counts[..., 0], counts[..., 1] + counts[..., 2]
    average = found.mean(axis=1, keepdims=True)
    values: Float[np.ndarray, "runs items"] = np.zeros(found.shape)
    left = correct - micro_f1(counts.sum(axis=1))[:, None] * found
    np.divide(left, average, out=values, where=average > 0)
    return values


@dataclass(frozen=True)
class Resampled:
    """Several runs on one test set, and on test sets drawn from it with replacement.

    Attributes:
        f1: of each run.
        drawn: of each run on each drawn test set (Koehn, EMNLP 2004, for one run of each system).
        influence: of each test item on each run's F1.
        seed: of the draws.
    """

    f1: Float[np.ndarray, " runs"]
    drawn: Float[np.ndarray, "samples runs"]
    influence: Float[np.ndarray, "runs items"]
    seed: int

    @property
    def items(self) -> int:
        """Size of the test set."""
        return self.influence.shape[1]


def drawn_sums(
    values: Float[np.ndarray, "items columns"], samples: int, seed: int
) -> Iterator[Float[np.ndarray, "some columns"]]:
    """Each column's sum over items that are drawn with replacement, as many as there are.

    Args:
        values: at least one item.
        samples: how often items are drawn; the blocks hold as many rows together.
        seed: of the draws, which depend on the number of items alone.
    """
    items = len(values)
    blocks = _kept_blocks if items * samples <= _KEPT else _blocks
    for times in blocks(items, samples, seed):
        yield times.astype(float) @ values


def _blocks(items: int, samples: int, seed: int) -> Iterator[Int[np.ndarray, "some items"]]:
    """How often each item is drawn, a row for each sample."""
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK // items)
    for start in range(0, samples, step):
        size = min(step, samples - start)
        yield rng.multinomial(items, np.full(items, 1 / items), size=size)


@lru_cache(maxsize=2)
def _kept_blocks(
    items: int, samples: int, seed: int
) -> tuple[UInt16[np.ndarray, "some items"], ...]:
    # An item that is drawn 2**16 times has a chance of no size: the expected number is one.
    return tuple(times.astype(np.uint16) for times in _blocks(items, samples, seed))


def resample(
    counts: Int[np.ndarray, "runs items 3"], samples: int = SAMPLES, seed: int = 0
) -> Resampled:
    """Draws test sets of the same size. What is drawn does not depend on the runs.

    Args:
        counts: correct, predicted and gold of each test item, for each run.
        samples: how often the test set is drawn.
        seed: of the draws; equal seeds give equal results.

    Raises:
        ValueError: there is no run, or no test item.
    """
    runs, items, _ = counts.shape
    if not runs or not items:
        raise ValueError(f"counts of shape {counts.shape} hold no run or no test item")
    by_item = counts.transpose(1, 0, 2).reshape(items, -1).astype(float)  # BLAS knows no integers
    totals = (sums.reshape(-1, runs, 3) for sums in drawn_sums(by_item, samples, seed))
    drawn = np.concatenate([micro_f1(total.round().astype(np.int64)) for total in totals])
    return Resampled(micro_f1(counts.sum(axis=1)), drawn, influence(counts), seed)
