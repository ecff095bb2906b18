"""In which order runs begin where several are under way: the longest first."""

from __future__ import annotations

from collections.abc import Iterable

from runners.executors.base import PlannedRun

ENCODER_WEIGHT = 15.0
"""Of FastRE's training sentences on word vectors, that take as long as one of CasRel's on MiniLM
(measured on two cores)."""


def longest_first(runs: Iterable[PlannedRun]) -> list[PlannedRun]:
    """Runs by the time that they are expected to take, so that none of the long ones ends last.

    It is told by what is known before: the examples of the longest training, and whether each goes
    through a transformer.
    """
    return sorted(runs, key=expected, reverse=True)


def expected(run: PlannedRun) -> float:
    """Of an amount that grows with the time of a run; no seconds."""
    encoder = ENCODER_WEIGHT if run.plan.pretrained is not None else 1.0
    return run.examples * encoder
