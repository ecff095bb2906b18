"""Where the names of points stand in a panel, so that none lies on another or on a point.

Lengths are shares of the panel's width and height.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

LETTER, WIDTH = 0.045, 0.019
"""The height of a name, and the width of one of its letters."""
GAP, MARK = 0.03, 0.02
"""From a point to its name, and from its centre to its edge."""
_STEPS = 12


class Box(NamedTuple):
    """What something takes of a panel."""

    left: float
    right: float
    low: float
    high: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        beside = self.right <= other.left or other.right <= self.left
        return not (beside or self.high <= other.low or other.high <= self.low)


class Place(NamedTuple):
    """Where a name stands.

    Attributes:
        side: 1 on the right of its point, -1 on the left.
        x, y: of the end that is next to the point.
        shifted: whether it stands above or below its point.
        box: what it takes.
    """

    side: int
    x: float
    y: float
    shifted: bool
    box: Box


def name_places(points: Mapping[str, tuple[float, float]]) -> dict[str, Place]:
    """A place for each name, as near to its point as those before it leave room.

    Where a panel has no room left, a name stands beside its point, whatever lies there.

    Args:
        points: name -> its point; those that come first choose first.
    """
    taken = [Box(x - MARK, x + MARK, y - MARK, y + MARK) for x, y in points.values()]
    places = {}
    for name, (x, y) in points.items():
        choices = _choices(name, x, y)
        first = next(choices)
        free = (p for p in itertools.chain([first], choices) if _is_free(p.box, taken))
        places[name] = next(free, first)
        taken.append(places[name].box)
    return places


def _is_free(box: Box, taken: list[Box]) -> bool:
    within = box.left >= 0 and box.right <= 1 and box.low >= 0 and box.high <= 1
    return within and not any(box.meets(other) for other in taken)


def _choices(name: str, x: float, y: float) -> Iterator[Place]:
    """Places of a name, the nearest first."""
    width = WIDTH * len(name)
    shifts = [0.0, *(sign * step * LETTER for step in range(1, _STEPS) for sign in (1, -1))]
    for shift, side in itertools.product(shifts, (1, -1)):
        near, far = x + side * GAP, x + side * (GAP + width)
        height = y + shift
        low, high = height - LETTER / 2, height + LETTER / 2
        box = Box(min(near, far), max(near, far), low, high)
        yield Place(side, near, height, shift != 0, box)
