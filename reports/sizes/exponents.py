"""How costs grow with size: exponents of powers, from measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from suite.records.sizes import Kind, Measurement, SizePlan, SizeRecord

Axis = Literal["words", "relations"]
AXES: tuple[Axis, ...] = ("words", "relations")
Cost = Literal["seconds", "decoding_seconds", "memory_bytes"]
SLACK = 0.25
"""By which a measured exponent may be above the stated one: what noise and caches do."""


LARGEST = 3
"""Sizes that the exponent in the end is told from: between two of them, a tenth of noise in one is
0.14 of the exponent."""


class Grown(NamedTuple):
    """Exponents of a cost along an axis.

    Attributes:
        overall: the slope of a straight line through all measurements, both axes logarithmic.
        last: that of a line through the `LARGEST` largest sizes, where what does not grow counts
            least.
        largest: of these sizes.
    """

    overall: float
    last: float
    largest: int


def along(
    records: Sequence[SizeRecord], plan: SizePlan, system: str, axis: Axis, kind: Kind
) -> list[tuple[int, Measurement]]:
    """A system's measurements along an axis: its size, and what was measured or why nothing was."""
    found = {
        (r.point.size.words, r.point.size.relations): r.of(kind)
        for r in records
        if r.point.system.variant == system
    }
    sizes = [((s.words, s.relations), getattr(s, axis)) for s in plan.study.along(axis)]
    return [(value, found[key]) for key, value in sizes if key in found]


def numbers(measured: Sequence[tuple[int, Measurement]], cost: Cost) -> list[tuple[int, float]]:
    """The sizes that have a figure of a cost, with it; but for systems that were not fitted."""
    pairs = ((size, getattr(found, cost)) for size, found in measured if found.fitted)
    return [(size, float(value)) for size, value in pairs if value]


def grown(points: Sequence[tuple[int, float]]) -> Grown | None:
    """The exponents; None of fewer than two sizes."""
    if len(points) < 2:
        return None
    x, y = np.log(np.asarray(points, dtype=float)).T
    overall, last = (float(np.polyfit(x[-n:], y[-n:], 1)[0]) for n in (len(x), LARGEST))
    return Grown(overall, last, points[-1][0])
